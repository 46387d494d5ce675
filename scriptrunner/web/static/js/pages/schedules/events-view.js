/** Events: who listens, when each was fired last. */
import { getJson } from '../../lib/api.js';
import { href } from '../../lib/boot.js';
import { count } from '../../lib/format.js';
import { useResource } from '../../lib/resource.js';
import { taskHref } from '../../lib/tasks.js';
import { useTopic } from '../../lib/topic.js';
import { html } from '../../lib/ui.js';
import { Ago, Button, Card, Empty } from '../../ui/basics.js';
import { DataTable } from '../../ui/data-table.js';
import { lacking, Loaded } from '../../ui/states.js';
import { askForEvent } from './events.js';

export default function EventsView({ tasks, onChange }) {
  const found = useResource((options) => getJson('/api/scheduler/events', options), []);
  useTopic('tasks', found.reload);
  const fire = (name) => askForEvent(tasks, name, () => {
    onChange();
    found.reload();
  });
  const columns = [
    { key: 'event', title: 'Event', head: true, class: 'mono' },
    { key: 'tasks', title: 'Starts', render: ({ tasks: listeners }) => (listeners.length ? listeners.map((id) => html`<a key=${id}
      href=${href(taskHref(id))}>${id}</a> `) : html`<span class="muted">nobody listens</span>`) },
    { key: 'last_fired', title: 'Last fired', class: 'nowrap', render: ({ last_fired: at }) => (at ? html`<${Ago} at=${at} />` : 'never') },
    { key: 'fire_count', title: 'Fired', num: true, render: ({ fire_count: times }) => (times === undefined ? '–' : `${count(times)} times`) },
    { key: 'actions', title: '', class: 'actions', render: ({ event }) => html`<${Button} compact=${true} icon="zap" label="Fire"
      refusal=${lacking('event.fire')} title=${`Fire ${event}`} onClick=${() => fire(event)} />` },
  ];
  return html`<${Card} title="Events" data-testid="sch-events"><${Loaded} resource=${found} title="The events could not be loaded">${(events) => (events.length
    ? html`<${DataTable} label="Events" columns=${columns} rows=${events} rowKey=${({ event }) => event} />`
    : html`<${Empty} icon="zap" title="No events"><p>Tasks that name events are started when somebody fires one: here, or with
        <code>POST ${href('/api/scheduler/events/deploy')}</code>.</p><//>`)}<//><//>`;
}
