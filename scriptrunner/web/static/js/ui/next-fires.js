/** What a schedule means in words, its next fires in two zones, and what to beware of. */
import { absolute, parseTime } from '../lib/format.js';
import { inZone } from '../lib/tasks.js';
import { html } from '../lib/ui.js';
import { Ago, Icon } from './basics.js';

/** @param {{preview: {description: string, next_runs: string[], warnings: string[]}, zone: string}} props */
export function NextFires({ preview, zone }) {
  return html`<p class="fires-words"><strong>${preview.description}</strong></p>
    ${preview.warnings.map((text) => html`<p key=${text} class="text-warn line-up" data-testid="fire-warning"><${Icon}
      name="triangle-alert" /><span>${text}</span></p>`)}
    ${preview.next_runs.length ? html`<ol class="fires">${preview.next_runs.map((at) => html`<${FireTime} key=${at} at=${at} zone=${zone} />`)}</ol>`
      : html`<p class="muted">No fires ahead.</p>`}`;
}

function FireTime({ at, zone }) {
  const moment = parseTime(at);
  const here = absolute(moment);
  const there = inZone(moment, zone);
  const differs = here.slice(0, 16) !== there.slice(0, 16);
  return html`<li><span class="nowrap">${there}</span> <span class="muted"><${Ago} at=${at} />${differs && html` · ${here} here`}</span></li>`;
}
