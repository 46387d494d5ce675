/** Names and what belongs to them. */
import { html } from '../lib/ui.js';

/** @param {{pairs: [string, unknown][]}} props pairs without a value are left out */
export function Pairs({ pairs }) {
  const there = pairs.filter(([, shown]) => shown !== null && shown !== undefined && shown !== '' && shown !== false);
  return html`<dl class="kv">${there.map(([name, shown]) => html`<div key=${name}><dt>${name}</dt><dd>${shown}</dd></div>`)}</dl>`;
}
