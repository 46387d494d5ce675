import { checkGate, verdictsOf } from '../lib/gates.js';
import { formatOf, histogram, quantile, titleOf } from '../lib/metrics.js';
import { fitByRun, readSeries } from '../lib/series.js';
import { equal, test } from './harness.js';

export { run } from './harness.js';

test('bins hold every value once', () => {
  const bins = histogram([1, 1, 2, 3, 5, 8, 13, 21, 34]);
  equal(bins.reduce((sum, { count }) => sum + count, 0), 9);
  equal([bins[0].from, bins.at(-1).to, bins[0].count], [1, 34, 6]);
  equal(histogram([4, 4]), [{ from: 4, to: 4, count: 2 }]);
  equal(histogram([]), []);
});
test('quantiles lie between ranks', () => {
  // (n-1)·p = 3·0.5 = 1.5: half way from 2 to 3.
  equal([quantile([4, 1, 3, 2], 0.5), quantile([7], 0.95), quantile([1, 2, 3, 4, 5], 0.25)], [2.5, 7, 2]);
});
test('values have their unit', () => {
  equal(['execution_time_seconds', 'memory_max_mb', 'cpu_avg', 'stdout_bytes', 'exit_code'].map((name) => formatOf(name)(2)), ['2 s', '2.0 MiB', '2 %', '2 bytes', '2']);
  equal(['execution_time_seconds', 'memory_max_mb', 'exit_code'].map(titleOf), ['execution time', 'memory max', 'exit code']);
});
test('a gate passes on its bound and fails on a missing metric', () => {
  const gate = { metric: 'cpu_max', min_value: 10, max_value: 80 };
  equal([80, 10, 91.5, 9].map((value) => checkGate(gate, { cpu_max: value })), ['', '', 'cpu_max = 91.5 exceeds 80', 'cpu_max = 9 is below 10']);
  equal(checkGate(gate, {}), 'cpu_max is missing');
  equal(checkGate({ metric: 'cpu_max', min_value: null, max_value: null }, {}), '');
  equal(verdictsOf([gate], [{ metrics: { cpu_max: 5 } }, { metrics: { cpu_max: 50 } }]).map(({ reasons }) => reasons.length), [1, 0]);
});
const ANSWER = { aggregated: false, fit: null, levels: [], band: { lower: null, upper: null }, anomalies: [], change_points: [], trend: null, regression: null };
const POINTS = [1, 1, 3].map((value, index) => ({ run_id: `r${index}`, time: '2026-11-01T00:00:00Z', value }));

test('a series without shift and band is drawn all the same', () => {
  const series = readSeries({ ...ANSWER, points: POINTS, trend: { slope: 1, intercept: 1 } });
  equal([series.band, series.level, series.shifts, fitByRun(series)], [null, null, [], [1, 2, 3]]);
  equal(readSeries({ ...ANSWER, points: [], message: 'Not enough data points' }).message, 'Not enough data points');
});
test('a shift names what changed and the runs beside it', () => {
  const cause = { kind: 'version', from: 'a'.repeat(64), to: null, last_run_before: 'r1', run_id: 'r2' };
  const change = { index: 2, before: 1, after: 3, percent_change: 200, is_worse: true, run_id: 'r2', time: POINTS[2].time, causes: [cause] };
  const levels = [{ from_index: 0, to_index: 1, median: 1 }, { from_index: 2, to_index: 2, median: 3 }];
  const series = readSeries({ ...ANSWER, points: POINTS, change_points: [change], levels });
  equal(series.level, [1, 1, 3]);
  equal([series.shifts[0].run_before, series.shifts[0].causes[0].text], ['r1', 'the script changed: aaaaaaaa → unknown']);
  equal(readSeries({ ...ANSWER, points: POINTS, change_points: [{ ...change, causes: [] }] }).shifts[0].run_before, 'r1');
});
