/** The answer of `/api/analytics/series` as the page draws it. Pure. */

/** What a cause of a shift is called. */
const KINDS = { script_sha256: 'the script', version: 'the script', script: 'the script', script_args: 'the arguments', args: 'the arguments', arguments: 'the arguments', python_version: 'the interpreter', interpreter: 'the interpreter' };

/**
 * @typedef {object} Series
 * @property {{run_id: string, time: string, value: number}[]} points in time order
 * @property {(number|null)[]|null} fit value of the fitted line at each point
 * @property {{lower: number, upper: number}|null} band what is usual
 * @property {object[]} anomalies @property {object[]} shifts
 */

/** @returns {Series & {[name: string]: any}} */
export function readSeries(answer) {
  const { points = [], trend = null, regression = null, message } = answer;
  const found = answer.anomalies ?? [];
  const anomalies = Array.isArray(found) ? found : found.anomalies ?? [];
  const band = answer.band ?? answer.bounds ?? found.bounds ?? null;
  return {
    points, trend, regression, message, anomalies, fit: readFit(answer, points), band: band && Number.isFinite(band.lower) && Number.isFinite(band.upper) ? band : null,
    shifts: (answer.change_points ?? []).map((each) => readShift(each, points)), needed: answer.needed ?? null,
  };
}

function readFit({ fit, trend }, points) {
  if (Array.isArray(fit)) return fit.map((each) => (typeof each === 'number' ? each : each?.value ?? null));
  if (!trend || points.length < 2) return null;
  return points.map((_, index) => trend.intercept + trend.slope * index);
}

function readShift(each, points) {
  const { index, before, after } = each;
  const percent = each.percent_change ?? (before ? (100 * (after - before)) / Math.abs(before) : null);
  return {
    index, before, after, percent, worse: each.worse ?? each.is_worse ?? after > before, run_id: each.run_id ?? points[index]?.run_id ?? null,
    run_before: each.run_before ?? points[index - 1]?.run_id ?? null, time: each.time ?? points[index]?.time ?? null, causes: (each.causes ?? []).map(words),
  };
}

/** "the script changed from 1a2b3c4d to 5e6f7a8b". */
function words(cause) {
  if (typeof cause === 'string') return cause;
  const show = (value) => (value === null || value === undefined ? 'unknown' : Array.isArray(value) ? value.join(' ') || 'none' : /^[0-9a-f]{64}$/.test(value) ? value.slice(0, 8) : String(value));
  return `With it changed ${KINDS[cause.kind] ?? cause.kind}: ${show(cause.before ?? cause.from)} → ${show(cause.after ?? cause.to)}`;
}
