import { fromUnified } from '../ui/diff-view.js';
import { readLines } from '../ui/code-view.js';
import { openChecks } from '../pages/run/open-checks.js';
import { equal, test } from './harness.js';

export { run } from './harness.js';

const DIFF = '--- a\n+++ b\n@@ -1,3 +1,3 @@\n same\n-old\n+new\n end\n@@ -10,1 +10,2 @@\n x\n+++ y';

test('a unified diff has both line numbers', () => {
  equal(fromUnified(DIFF).map(({ kind, left, right, text }) => [kind, left, right, text]), [
    ['gap', null, null, '@@ -1,3 +1,3 @@'], ['same', 1, 1, 'same'], ['removed', 2, null, 'old'], ['added', null, 2, 'new'], ['same', 3, 3, 'end'],
    ['gap', null, null, '@@ -10,1 +10,2 @@'], ['same', 10, 10, 'x'], ['added', null, 11, '++ y'],
  ]);
});
test('no difference has no rows', () => equal(fromUnified(''), []));
test('lines of source in an address', () => {
  equal(readLines('L7'), { from: 7, to: 7 });
  equal(readLines('L9-L3'), { from: 3, to: 9 });
  equal(readLines('E7'), null);
});
test('checks that were not passed are counted', () => {
  const result = {
    performance_gates_results: [{ passed: true }, { passed: false }],
    scans: { secrets: { status: 'findings' }, code_analysis: { status: 'clean' } },
    alerts: [{ triggered: true }, { triggered: false }],
  };
  equal([openChecks({ result }), openChecks({ result: null }), openChecks({ result: {} })], [3, 0, 0]);
});
