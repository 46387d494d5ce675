/** What fires within one day, hour by hour. */
import { href } from '../../lib/boot.js';
import { absolute, now, parseTime } from '../../lib/format.js';
import { zone } from '../../lib/prefs.js';
import { query, setQuery } from '../../lib/router.js';
import { useResource } from '../../lib/resource.js';
import { LAST_TONES, loadFires, taskHref } from '../../lib/tasks.js';
import { html } from '../../lib/ui.js';
import { Button, Card, Empty, Icon, IconButton } from '../../ui/basics.js';
import { Lanes } from '../../ui/lanes.js';
import { Loaded } from '../../ui/states.js';

const DAY_MS = 86_400_000;

/** Midnight of a day in the zone that the reader chose, ms. */
function midnight(day) {
  const [year, month, date] = day.split('-').map(Number);
  return zone.value === 'utc' ? Date.UTC(year, month - 1, date) : new Date(year, month - 1, date).getTime();
}

export default function DayView({ tasks }) {
  const today = absolute(now.value).slice(0, 10);
  const asked = query.value.get('day');
  const day = /^\d{4}-\d{2}-\d{2}$/.test(asked ?? '') ? asked : today;
  const start = midnight(day);
  const range = { since: new Date(start).toISOString(), until: new Date(start + DAY_MS).toISOString() };
  const found = useResource((options) => loadFires(range, options), [start, tasks]);
  const go = (step) => setQuery({ day: new Date(Date.parse(day) + step * DAY_MS).toISOString().slice(0, 10) });
  const actions = html`<${IconButton} icon="chevron-left" label="Day before" onClick=${() => go(-1)} /><span class="nowrap"
    aria-live="polite">${day}${day === today ? ', today' : ''}</span>
    <${IconButton} icon="chevron-right" label="Day after" onClick=${() => go(1)} />${day !== today && html`<${Button} compact=${true} label="Today"
      onClick=${() => setQuery({ day: null })} />`}`;
  return html`<${Card} title="24 hours" actions=${actions} data-testid="sch-day"><${Loaded} resource=${found} lines=${6}
    title="The day could not be loaded">${({ fires, truncated }) => {
    const lanes = toLanes(fires);
    return html`${truncated && html`<p class="stale tone-info"><${Icon} name="info" />Very frequent tasks are cut.</p>`}
      ${lanes.length ? html`<${Lanes} start=${start} now=${now.value} lanes=${lanes} clock=${(at) => absolute(at).slice(11, 16)} label=${`Fires of ${day}`} />`
    : html`<${Empty} icon="calendar-days" title="Nothing fires on this day"><p>Tasks that fire by events or by hand do not stand here.</p><//>`}`;
  }}<//><//>`;
}

function toLanes(fires) {
  const lanes = new Map();
  for (const { task_id: id, at, state, run_status: status } of fires) {
    if (!lanes.has(id)) lanes.set(id, { key: id, href: href(taskHref(id)), fires: [] });
    const moment = parseTime(at);
    lanes.get(id).fires.push({ at: moment, tone: state === 'planned' ? 'info' : LAST_TONES[status] ?? 'quiet', text: `${absolute(moment).slice(11,
      19)} ${id}, ${status ?? state}` });
  }
  return [...lanes.values()].sort((a, b) => a.fires[0].at - b.fires[0].at);
}
