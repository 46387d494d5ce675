/** A cron expression with its five fields named, and expressions that are often wanted. */
import { html } from '../lib/ui.js';

const FIELDS = ['minute', 'hour', 'day of month', 'month', 'day of week'];
const OFTEN = [
  ['*/5 * * * *', 'every 5 minutes'], ['0 * * * *', 'every hour'], ['0 2 * * *', 'daily at 02:00'], ['30 8 * * 1-5', 'weekdays at 08:30'],
  ['0 6 * * MON', 'Mondays at 06:00'], ['0 0 1 * *', 'first of the month'],
];

/** @param {{id: string, value: string, onChange: (text: string) => void, fault?: string, testid?: string}} props */
export function CronInput({ id, value, onChange, fault, testid }) {
  const parts = value.trim().split(/\s+/).filter(Boolean);
  const isMacro = parts[0]?.startsWith('@');
  return html`<div class="cron">
    <input id=${id} class="mono" type="text" value=${value} placeholder="0 2 * * 1-5" spellcheck=${false} autocomplete="off" data-testid=${testid}
      aria-describedby=${`${id}-parts`} aria-invalid=${fault ? 'true' : undefined} onInput=${(event) => onChange(event.target.value)} />
    ${!isMacro && html`<dl class="cron-parts" id=${`${id}-parts`}>${FIELDS.map((name, index) => html`<div key=${name}><dt>${name}</dt><dd
      class="mono">${parts[index] ?? '–'}</dd></div>`)}</dl>`}
    ${parts.length > 5 && html`<p class="fault">Five fields, not ${parts.length}: seconds have no field.</p>`}
    <div class="chips">${OFTEN.map(([text, words]) => html`<button key=${text} type="button" class=${`chip ${text === value ? 'is-on' : ''}`}
      title=${text} onClick=${() => onChange(text)}>${words}</button>`)}</div>
  </div>`;
}
