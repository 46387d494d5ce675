/** A month as a grid of days, each with what fires on it. */
import { plural } from '../lib/format.js';
import { classes, html } from '../lib/ui.js';
import { IconButton } from './basics.js';

const DAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];
/** Entries that a day names; the rest is counted. */
const NAMED = 3;

/** "2026-11" → its days as "2026-11-23", from the Monday before the first to the Sunday after the last. */
export function daysOf(month) {
  const first = new Date(`${month}-01T00:00:00Z`);
  const start = new Date(first);
  start.setUTCDate(1 - ((first.getUTCDay() + 6) % 7));
  const days = [];
  for (const day = new Date(start); days.length % 7 || day.toISOString().slice(0,
    7) <= month; day.setUTCDate(day.getUTCDate() + 1)) days.push(day.toISOString().slice(0, 10));
  return days;
}

/** The month before (-1) or after (1) one. */
export function monthBeside(month, step) {
  const day = new Date(`${month}-01T00:00:00Z`);
  day.setUTCMonth(day.getUTCMonth() + step);
  return day.toISOString().slice(0, 7);
}

/**
 * @param {{month: string, today: string, entries: Map<string, {key: string, text: string, href: string, count: number}[]>, onMonth: (month: string) => void,
 *   onDay: (day: string) => void}} props `entries` by day, in the zone that the reader chose
 */
export function Calendar({ month, today, entries, onMonth, onDay }) {
  const name = new Intl.DateTimeFormat('en', { month: 'long', year: 'numeric', timeZone: 'UTC' }).format(new Date(`${month}-01T00:00:00Z`));
  const total = [...entries.values()].flat().reduce((sum, { count }) => sum + count, 0);
  const weeks = [];
  const days = daysOf(month);
  for (let at = 0; at < days.length; at += 7) weeks.push(days.slice(at, at + 7));
  return html`<div class="calendar">
    <div class="calendar-head"><${IconButton} icon="chevron-left" label="Month before" onClick=${() => onMonth(monthBeside(month, -1))} />
      <h3 aria-live="polite">${name}</h3><${IconButton} icon="chevron-right" label="Month after" onClick=${() => onMonth(monthBeside(month, 1))} />
      <span class="muted">${plural(total, 'fire')}</span></div>
    <table><caption class="sr-only">Fires in ${name}</caption>
      <thead><tr>${DAYS.map((day) => html`<th key=${day} scope="col">${day}</th>`)}</tr></thead>
      <tbody>${weeks.map((week) => html`<tr key=${week[0]}>${week.map((day) => html`<${Day} key=${day} day=${day} month=${month} today=${today}
        entries=${entries.get(day) ?? []} onDay=${onDay} />`)}</tr>`)}</tbody>
    </table></div>`;
}

function Day({ day, month, today, entries, onDay }) {
  const total = entries.reduce((sum, { count }) => sum + count, 0);
  const rest = entries.slice(NAMED);
  return html`<td class=${classes(!day.startsWith(month) && 'is-off', day === today && 'is-today', total > 0 && 'has-fires')} data-day=${day}>
    <button type="button" class="day-no" aria-label=${`${day}, ${plural(total, 'fire')}`} aria-current=${day === today ? 'date' : undefined}
      onClick=${() => onDay(day)}>${Number(day.slice(8))}
      ${total > 0 && html`<span class="day-count">${total}</span>`}</button>
    <ul>${entries.slice(0, NAMED).map(({ key, text, href, count }) => html`<li key=${key}><a class="ellipsis" href=${href}>${text}</a>${count > 1
      && html`<span class="muted"> ${count}×</span>`}</li>`)}
      ${rest.length > 0 && html`<li class="muted">+${rest.length} more</li>`}</ul></td>`;
}
