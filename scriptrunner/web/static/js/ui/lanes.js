/** Twenty-four hours, a lane per task, a mark per fire; and the same as a table. */
import { plural } from '../lib/format.js';
import { html, useState } from '../lib/ui.js';
import { Button, TableBox, TableHead } from './basics.js';

const HOURS = [0, 3, 6, 9, 12, 15, 18, 21];
const DAY_MS = 86_400_000;

/**
 * @param {{start: number, now: number, lanes: {key: string, href: string, fires: {at: number, tone?: string, text: string, href?: string}[]}[], clock: (at: number) => string, label: string}} props
 *   `start` is midnight of the day in ms; fires of one lane are in order
 */
export function Lanes({ start, now, lanes, clock, label }) {
  const [asTable, setAsTable] = useState(false);
  const total = lanes.reduce((sum, { fires }) => sum + fires.length, 0);
  const busiest = busiestMinute(lanes);
  const sentence = `${plural(total, 'fire')} of ${plural(lanes.length, 'task')}${busiest && busiest.count > 1
    ? `; most at once: ${busiest.count} at ${clock(busiest.at)}` : ''}.`;
  return html`<figure class="lanes" data-testid="lanes">
    ${asTable ? html`<${LaneTable} lanes=${lanes} clock=${clock} label=${label} />` : html`<div class="lanes-grid" role="group" tabindex="0"
      aria-label=${`${label}. ${sentence}`}>
      <div class="lane lane-hours" aria-hidden="true"><span></span><div class="lane-track">${HOURS.map((hour) => html`<span key=${hour}
        class="lane-hour" style=${{ left: `${(100 * hour) / 24}%` }}>${String(hour).padStart(2, '0')}:00</span>`)}</div></div>
      ${lanes.map((lane) => html`<${Lane} key=${lane.key} lane=${lane} start=${start} now=${now} />`)}</div>`}
    <figcaption><span>${sentence}</span><${Button} compact=${true} kind="quiet" icon=${asTable ? 'chart-line' : 'table-2'} label=${asTable
      ? 'Show as lanes' : 'Show as table'} onClick=${() => setAsTable(!asTable)} /></figcaption></figure>`;
}

function Lane({ lane, start, now }) {
  const at = (moment) => `${Math.min(100, Math.max(0, (100 * (moment - start)) / DAY_MS))}%`;
  return html`<div class="lane"><a class="ellipsis" href=${lane.href}>${lane.key}</a><div class="lane-track">
    ${now >= start && now < start + DAY_MS && html`<span class="lane-now" style=${{ left: at(now) }}></span>`}
    ${lane.fires.map((fire) => html`<span key=${fire.at} class=${`lane-fire tone-${fire.tone ?? 'info'}`} style=${{ left: at(fire.at) }}
      title=${fire.text}></span>`)}</div></div>`;
}

function LaneTable({ lanes, clock, label }) {
  const rows = lanes.flatMap(({ key, href, fires }) => fires.map((fire) => ({ ...fire, key, to: href }))).sort((a, b) => a.at - b.at);
  return html`<${TableBox} label=${label}><table class="plain-table fit"><${TableHead} columns=${['Time', 'Task', 'What']} />
    <tbody>${rows.map((row) => html`<tr key=${`${row.at} ${row.key}`}><td class="nowrap">${clock(row.at)}</td><th scope="row"><a
      href=${row.to}>${row.key}</a></th><td>${row.text}</td></tr>`)}</tbody></table><//>`;
}

function busiestMinute(lanes) {
  const minutes = new Map();
  for (const { fires } of lanes) for (const { at } of fires) minutes.set(Math.floor(at / 60_000), (minutes.get(Math.floor(at / 60_000)) ?? 0) + 1);
  const [first] = [...minutes].sort((a, b) => b[1] - a[1] || a[0] - b[0]);
  return first ? { at: first[0] * 60_000, count: first[1] } : null;
}
