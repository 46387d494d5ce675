import { layOut, neighbourhood, onCycles } from '../lib/graph-layout.js';
import { dependantsOf, edgesOf, inZone, ruleOf } from '../lib/tasks.js';
import { daysOf, monthBeside } from '../ui/calendar.js';
import { equal, test } from './harness.js';

export { run } from './harness.js';

const task = (id, dependencies = [], rest = {}) => ({ task_id: id, dependencies, events: [], ...rest });
const chain = { nodes: ['a', 'b', 'c', 'd'].map((id) => ({ id })), edges: [{ from: 'a', to: 'b' }, { from: 'b', to: 'c' }, { from: 'c', to: 'd' }] };

test('whoever waits stands to the right of what it waits for', () => {
  const { nodes, edges, width } = layOut(chain);
  equal(nodes.a.x < nodes.b.x && nodes.b.x < nodes.c.x, true);
  equal([edges.length, width > nodes.d.x], [3, true]);
});
test('an arrow from a task that was deleted is left out', () => equal(layOut({ nodes: [{ id: 'a' }], edges: [{ from: 'gone', to: 'a' }] }).edges, []));
test('a neighbourhood goes both ways', () => equal(neighbourhood(chain, 'b', 1).nodes.map(({ id }) => id), ['a', 'b', 'c']));
test('what only leads to a cycle is not on it', () => {
  equal([...onCycles(chain)], []);
  const edges = [...chain.edges, { from: 'c', to: 'b' }];
  equal([...onCycles({ ...chain, edges })], ['b', 'c']);
});
test('rules in words', () => {
  equal(ruleOf(task('t')), 'by hand');
  equal(ruleOf(task('t', ['a'], { cron_expr: '0 2 * * *', events: ['deploy'] })), 'cron 0 2 * * * · on deploy · after a');
});
test('who waits for whom', () => {
  const tasks = [task('a'), task('b', ['a']), task('c', ['a', 'b'])];
  equal(dependantsOf('a', tasks), ['b', 'c']);
  equal(edgesOf(tasks), [{ from: 'a', to: 'b' }, { from: 'a', to: 'c' }, { from: 'b', to: 'c' }]);
});
test('a month is whole weeks from Monday to Sunday', () => {
  const days = daysOf('2026-11');
  equal([days[0], days.at(-1), days.length], ['2026-10-26', '2026-12-06', 42]);
  equal(daysOf('2027-02').length, 28);
  equal([monthBeside('2026-12', 1), monthBeside('2026-01', -1)], ['2027-01', '2025-12']);
});
test('a time in the zone of its task', () => {
  equal(inZone(Date.parse('2026-11-23T01:00:00Z'), 'Europe/Berlin'), '2026-11-23 02:00 GMT+1');
  equal(inZone(Date.parse('2026-11-23T01:00:30Z'), 'UTC'), '2026-11-23 01:00:30 UTC');
});
