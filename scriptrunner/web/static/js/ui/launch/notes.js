/** What stands above the fields: what the server refused, and which run is edited. */
import { href } from '../../lib/boot.js';
import { plural } from '../../lib/format.js';
import { fillFromRun, missing, origin, resetForm, values } from '../../lib/launch-state.js';
import { html } from '../../lib/ui.js';
import { Button, Icon } from '../basics.js';
import { showError } from '../toast.js';
import { isEdited } from './groups.js';

/** What the server said, with links to the fields. */
export function FaultSummary({ error, faults, fields }) {
  const label = (name) => fields.find((field) => field.name === name)?.label ?? (name === 'file' ? 'Script file' : '');
  const goTo = (name) => (event) => {
    event.preventDefault();
    /** @type {HTMLElement|null} */ (document.querySelector(`#field-${name}`))?.focus();
  };
  const item = ([name, text]) => html`<li key=${name}>
    ${label(name) && html`<a href=${`#field-${name}`} onClick=${goTo(name)}>${label(name)}</a>: `}${text}</li>`;
  return html`<div class="error-box tone-bad" role="alert" data-testid="error-box"><${Icon} name="circle-x" />
    <div><strong>Nothing was started</strong>
      <ul>${[...faults].map(item)}</ul>
      ${error.requestId && html`<p class="muted">Request <code>${error.requestId}</code></p>`}</div></div>`;
}

/** Which run's options these are, what was changed, and what must be typed again. */
export function OriginNote({ fields }) {
  const { id } = origin.value;
  const edited = fields.filter((field) => isEdited(field, values.value));
  const again = () => fillFromRun(id).catch(showError);
  return html`<div class="origin tone-info" data-testid="launch-origin"><${Icon} name="pencil" />
    <div><p>Options of run <a class="mono" href=${href(`/runs/${id}`)}>${id.slice(0, 8)}</a>:${' '}
      ${edited.length ? html`<strong>${plural(edited.length, 'change')}</strong> (${edited.map((field) => field.label.toLowerCase()).join(', ')})` : 'nothing changed yet'}.</p>
      ${missing.value.length > 0 && html`<p class="text-warn" data-testid="launch-missing">Not told by the server, type it again:${' '}
        ${missing.value.map((path) => path.replace(/^env_vars\./, '').replace('slack_webhook', 'Slack webhook')).join(', ')}.</p>`}</div>
    <span class="push"></span>
    ${edited.length > 0 && html`<${Button} compact=${true} label="Undo the changes" onClick=${again} />`}
    <${Button} compact=${true} label="Start afresh" onClick=${resetForm} /></div>`;
}
