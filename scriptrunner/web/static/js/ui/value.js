/** Any value of the API as text: short ones in a line, long ones to unfold. */
import { html } from '../lib/ui.js';

/** An object as "name value" pairs; nested values as JSON. */
export function Value({ value }) {
  if (value === null || value === undefined) return html`<span class="muted">–</span>`;
  if (typeof value !== 'object') return html`<span class="value">${String(value)}</span>`;
  if (Array.isArray(value)) return html`<${Short} value=${value} />`;
  const pairs = Object.entries(value).filter(([, each]) => each !== null && !isEmpty(each));
  return html`<span class="pairs">${pairs.map(([name, each]) => html`
    <span key=${name} class="pair"><span class="muted">${name}</span> <${Short} value=${each} /></span>`)}</span>`;
}

function Short({ value }) {
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value);
  const full = typeof value === 'object' ? JSON.stringify(value, null, 2) : text;
  if (text.length <= 120) return html`<code>${text}</code>`;
  return html`<details class="unfold"><summary><code>${text.slice(0, 100)}…</code></summary><pre class="mono" tabindex="0">${full}</pre></details>`;
}

/** Whether a value is a list or an object with nothing in it. */
export const isEmpty = (value) => typeof value === 'object' && value !== null && Object.keys(value).length === 0;
