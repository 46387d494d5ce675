/** The lifecycle status of a script: word and tone. */
import { html } from '../lib/ui.js';
import { Icon } from './basics.js';

const LOOKS = {
  draft: ['info', 'pencil'], active: ['good', 'circle-check'], deprecated: ['warn', 'triangle-alert'], archived: ['quiet', 'archive'],
};

export function Lifecycle({ status, missing }) {
  const [tone, icon] = missing ? ['bad', 'circle-x'] : LOOKS[status] ?? ['quiet', 'circle-help'];
  return html`<span class=${`status tone-${tone}`}><span class="badge"><${Icon} name=${icon} />${missing ? 'missing' : status}</span></span>`;
}
