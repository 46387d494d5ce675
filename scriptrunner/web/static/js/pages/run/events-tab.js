/** The events of a run, in order, growing while it is active. */
import { getJson } from '../../lib/api.js';
import { clockTime, parseTime, plural } from '../../lib/format.js';
import { html, useEffect, useRef, useState } from '../../lib/ui.js';
import { Empty, ErrorBox, Skeleton, TableBox, TableHead } from '../../ui/basics.js';
import { Value } from '../../ui/value.js';

const TONES = {
  success: 'good', failed: 'bad', failure: 'bad', timeout: 'bad',
  forced_termination: 'warn', stop_requested: 'warn', output_truncated: 'warn',
};

export function EventsTab({ run }) {
  const [events, setEvents] = useState(null);
  const [error, setError] = useState(null);
  const [type, setType] = useState('');
  const last = useRef(0);
  const load = async () => {
    try {
      const more = await getJson(`/api/runs/${run.id}/events`, { query: { after: last.current || null } });
      const fresh = more.filter(({ seq }) => seq > last.current);
      last.current = fresh.at(-1)?.seq ?? last.current;
      setEvents((before) => [...(before ?? []), ...fresh]);
      setError(null);
    } catch (fault) {
      setError(fault);
    }
  };
  useEffect(() => {
    load();
  }, [run]);
  if (error && !events) return html`<${ErrorBox} error=${error} title="The events could not be loaded" onRetry=${load} />`;
  if (!events) return html`<${Skeleton} lines=${6} />`;
  if (!events.length) return html`<${Empty} title="No events yet" />`;
  const types = [...new Set(events.map((each) => each.event_type))];
  const shown = type ? events.filter((each) => each.event_type === type) : events;
  return html`<div class="card-note line"><span>${plural(events.length, 'event')}</span><span class="push"></span>
      <label>Type <select value=${type} onChange=${(event) => setType(event.target.value)} data-testid="events-type">
        <option value="">all</option>${types.map((each) => html`<option key=${each} value=${each}>${each}</option>`)}
      </select></label></div>
    <${TableBox} label="Events"><table class="plain-table events" data-testid="events-table">
      <${TableHead} columns=${['#No.', 'Time', 'Event', 'Level', 'Data']} />
      <tbody>${shown.map((each) => html`<${EventRow} key=${each.seq} event=${each} />`)}</tbody>
    </table><//>`;
}

function EventRow({ event }) {
  const tone = TONES[event.event_type];
  const { correlation_id: _, ...data } = event.data;
  return html`<tr>
    <td class="num muted">${event.seq}</td>
    <td class="nowrap"><time dateTime=${event.timestamp} title=${event.timestamp}>${clockTime(parseTime(event.timestamp), { ms: true })}</time></td>
    <th scope="row" class="mono"><span class=${tone ? `text-${tone}` : ''}>${event.event_type}</span></th>
    <td class="muted">${event.level.toLowerCase()}</td>
    <td><${Value} value=${data} /></td>
  </tr>`;
}
