/** Planned fires of a month. */
import { href } from '../../lib/boot.js';
import { absolute, now, parseTime } from '../../lib/format.js';
import { zone } from '../../lib/prefs.js';
import { query, setQuery } from '../../lib/router.js';
import { useResource } from '../../lib/resource.js';
import { loadFires, taskHref } from '../../lib/tasks.js';
import { html } from '../../lib/ui.js';
import { Card, Icon } from '../../ui/basics.js';
import { Calendar, daysOf } from '../../ui/calendar.js';
import { Loaded } from '../../ui/states.js';

const DAY_MS = 86_400_000;

/** Day of a moment in the zone that the reader chose. */
const dayOf = (at) => absolute(at).slice(0, 10);

export default function CalendarView({ tasks }) {
  const today = dayOf(now.value);
  const asked = query.value.get('month');
  const month = /^\d{4}-\d{2}$/.test(asked ?? '') ? asked : today.slice(0, 7);
  const days = daysOf(month);
  // A day more on both sides: the reader's days are not those of UTC.
  const since = new Date(Date.parse(days[0]) - DAY_MS).toISOString();
  const until = new Date(Date.parse(days.at(-1)) + 2 * DAY_MS).toISOString();
  const found = useResource((options) => loadFires({ since, until }, options), [month, tasks]);
  return html`<${Card} title="Calendar" data-testid="sch-calendar"><${Loaded} resource=${found} lines=${10}
    title="The calendar could not be loaded">${({ fires, truncated }) => html`
    ${truncated && html`<p class="stale tone-info"><${Icon} name="info" />There are more fires than are counted here: very frequent tasks are cut.</p>`}
    <${Calendar} month=${month} today=${today} entries=${byDay(fires, zone.value)} onMonth=${(next) => setQuery({ month: next })}
      onDay=${(day) => setQuery({ view: 'day', day, month: null })} />`}<//><//>`;
}

/** Fires of each day of the reader's zone, a line per task. */
function byDay(fires, _zone) {
  const days = new Map();
  for (const { task_id: id, at } of fires) {
    const day = dayOf(parseTime(at));
    if (!days.has(day)) days.set(day, new Map());
    const lines = days.get(day);
    const line = lines.get(id) ?? { key: id, text: id, href: href(taskHref(id)), first: at, count: 0 };
    lines.set(id, { ...line, count: line.count + 1 });
  }
  return new Map([...days].map(([day, lines]) => [day, [...lines.values()].sort((a, b) => a.first.localeCompare(b.first))
    .map((line) => ({ ...line, text: `${absolute(parseTime(line.first)).slice(11, 16)} ${line.key}` }))]));
}
