/** The states of anything that is loaded: skeleton, data, stale data, failure, no permission. */
import { can } from '../lib/api.js';
import { clockTime } from '../lib/format.js';
import { html } from '../lib/ui.js';
import { Button, Empty, ErrorBox, Icon, Skeleton } from './basics.js';

/**
 * What a resource has: `children` is called with the data. The skeleton is for the first load only;
 * a later failure keeps what is shown and says how old it is.
 * @param {{resource: import('../lib/resource.js').Resource<any>, title?: string, lines?: number, children: (data: any) => unknown}} props
 */
export function Loaded({ resource, title = 'That could not be loaded', lines = 4, children }) {
  const { data, error, reload } = resource;
  if (error?.status === 403) return html`<${Forbidden} words=${error.message} />`;
  if (data === null) {
    return error ? html`<${ErrorBox} error=${error} title=${title} onRetry=${reload} />` : html`<${Skeleton} lines=${lines} />`;
  }
  return html`${error && html`<${Stale} resource=${resource} />`}${children(data)}`;
}

/** A bar that says how old the data are and why. */
export function Stale({ resource: { error, loadedAt, reload } }) {
  return html`<p class="stale tone-warn" role="status"><${Icon} name="triangle-alert" />As of ${clockTime(loadedAt)}: ${error.message}
    <${Button} compact=${true} label="Try again" onClick=${reload} /></p>`;
}

/** Instead of what the reader may not see. */
export function Forbidden({ words }) {
  return html`<div data-testid="forbidden"><${Empty} icon="ban" title="Not for your role">${words}<//></div>`;
}

/** Why a control is disabled for this reader, or ''. */
export const lacking = (permission) => (can(permission) ? '' : `Your role lacks the permission ${permission}`);
