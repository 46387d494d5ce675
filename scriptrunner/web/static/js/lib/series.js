/** The answer of `/api/analytics/series` as the page draws it. Pure. */

/** What a cause of a shift is called. */
const KINDS = { version: 'the script', arguments: 'the arguments', interpreter: 'the interpreter' };

/**
 * @typedef {object} Cause what changed where the level shifted: `text` for people, the runs before and after
 * @property {string} kind @property {string} text @property {string|null} before @property {string|null} after
 *
 * @typedef {object} Shift
 * @property {number} index place among the points @property {number} before @property {number} after @property {number|null} percent
 * @property {boolean|null} worse null where neither direction is better
 * @property {string} run_id first run of the new level @property {string} time @property {string|null} run_before @property {string} run_after runs on both sides of what changed @property {Cause[]} causes
 *
 * @typedef {object} Series
 * @property {{run_id: string, time: string, value: number, count?: number}[]} points in time order
 * @property {boolean} aggregated whether points stand for several runs
 * @property {(number|null)[]|null} fit value of the fitted line at each point
 * @property {(number|null)[]|null} level median of its stretch at each point, if the level ever shifted
 * @property {{lower: number, upper: number}|null} band what is usual
 * @property {object[]} anomalies @property {Shift[]} shifts @property {number|null} needed
 * @property {string|undefined} message @property {string|null} anomalyMessage
 */

/** @returns {Series & {trend: any, regression: any}} */
export function readSeries(answer) {
  const { points, trend, regression, message, anomalies, band } = answer;
  return {
    points, trend, regression, message, anomalies, aggregated: answer.aggregated, fit: answer.fit, level: levelOf(points, answer.levels),
    band: Number.isFinite(band?.lower) && Number.isFinite(band?.upper) ? band : null,
    shifts: answer.change_points.map((each) => readShift(each, points)), needed: answer.needed ?? null,
    anomalyMessage: answer.anomaly_message && `${answer.anomaly_message}${answer.anomalies_needed ? `: ${answer.anomalies_needed} are needed` : ''}.`,
  };
}

/** The line over the runs, one value per point. */
export const fitByRun = ({ points, trend, aggregated }) => (trend && !aggregated ? points.map((_, index) => trend.intercept + trend.slope * index) : null);

function levelOf(points, levels) {
  if (!levels.length) return null;
  return points.map((_, index) => levels.find(({ from_index: from, to_index: to }) => index >= from && index <= to)?.median ?? null);
}

function readShift(each, points) {
  const causes = each.causes.map(readCause);
  return {
    index: each.index, before: each.before, after: each.after, percent: each.percent_change, worse: each.is_worse, run_id: each.run_id, time: each.time,
    run_before: causes[0]?.before ?? points[each.index - 1]?.run_id ?? null, run_after: causes[0]?.after ?? each.run_id, causes,
  };
}

/** "With it changed the script: 1a2b3c4d → 5e6f7a8b". */
function readCause(cause) {
  const show = (value) => (value === null || value === undefined ? 'unknown' : Array.isArray(value) ? value.join(' ') || 'none'
    : /^[0-9a-f]{64}$/.test(value) ? value.slice(0, 8) : String(value));
  return { kind: cause.kind, text: `${KINDS[cause.kind] ?? cause.kind} changed: ${show(cause.from)} → ${show(cause.to)}`,
    before: cause.last_run_before ?? null, after: cause.run_id ?? null };
}
