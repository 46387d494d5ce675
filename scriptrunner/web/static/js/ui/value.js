/** Any value of the API as text: short ones in a line, long ones to unfold. */
import { html } from '../lib/ui.js';

/** An object as "name value" pairs; nested values as JSON. */
export function Value({ value }) {
  if (value === null || value === undefined) return html`<span class="muted">–</span>`;
  if (typeof value !== 'object') return html`<span class="value">${String(value)}</span>`;
  if (Array.isArray(value)) return html`<${Long} text=${JSON.stringify(value)} full=${JSON.stringify(value, null, 2)} />`;
  const pairs = Object.entries(value).filter(([, each]) => each !== null && !isEmpty(each));
  return html`<span class="pairs">${pairs.map(([name, each]) => html`<span key=${name} class="pair"><span class="muted">${name}</span> ${typeof each === 'object'
    ? html`<${Long} text=${JSON.stringify(each)} full=${JSON.stringify(each, null, 2)} />` : html`<${Long} text=${String(each)} full=${String(each)} />`}</span>`)}</span>`;
}

function Long({ text, full }) {
  if (text.length <= 120) return html`<code>${text}</code>`;
  return html`<details class="unfold"><summary><code>${text.slice(0, 100)}…</code></summary><pre class="mono" tabindex="0">${full}</pre></details>`;
}

const isEmpty = (value) => typeof value === 'object' && Object.keys(value).length === 0;
