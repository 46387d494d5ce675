/** Which task waits for which. */
import { href } from '../../lib/boot.js';
import { neighbourhood } from '../../lib/graph-layout.js';
import { edgesOf, LAST_TONES, ruleOf, STATES, taskHref } from '../../lib/tasks.js';
import { html, useMemo } from '../../lib/ui.js';
import { Card, Empty } from '../../ui/basics.js';
import { Graph } from '../../ui/graph.js';

/** Only tasks that wait or are waited for stand in the graph. */
export default function GraphView({ tasks, centre }) {
  const { nodes, edges } = useMemo(() => toGraph(tasks), [tasks]);
  if (!edges.length) {
    return html`<${Card} title="Dependencies"><${Empty} icon="workflow"
      title="No task waits for another"><p>Give a task dependencies, and the order in which they run is drawn here.</p><//><//>`;
  }
  return html`<${Card} title="Dependencies" data-testid="sch-graph"><${Graph} nodes=${nodes} edges=${edges} label="Dependencies of tasks"
    hrefOf=${(id) => href(taskHref(id))} centre=${centre} /><//>`;
}

export function toGraph(tasks) {
  const known = new Set(tasks.map(({ task_id: id }) => id));
  const edges = edgesOf(tasks);
  const inside = new Set(edges.flatMap(({ from, to }) => [from, to]));
  const gone = [...inside].filter((id) => !known.has(id)).map((id) => ({ id, note: 'deleted', tone: 'bad' }));
  const nodes = tasks.filter(({ task_id: id }) => inside.has(id)).map((task) => ({
    id: task.task_id, note: [STATES[task.state]?.word, task.last_status && `last ${task.last_status}`].filter(Boolean).join(' · '),
    tone: task.enabled ? LAST_TONES[task.last_status] ?? 'info' : 'quiet', title: `${task.task_id}: ${ruleOf(task)}`,
  }));
  return { nodes: [...nodes, ...gone], edges };
}

/** The tasks within two steps of one. */
export function near(tasks, centre) {
  const { nodes } = neighbourhood({ nodes: tasks.map(({ task_id: id }) => ({ id })), edges: edgesOf(tasks) }, centre, 2);
  const ids = new Set(nodes.map(({ id }) => id));
  return tasks.filter(({ task_id: id }) => ids.has(id));
}
