/** The metrics of runs: their names, units and how a value is written. */
import { getJson } from './api.js';
import { bytes, count, duration } from './format.js';
import { signal } from './ui.js';

/** @typedef {{name: string, unit: string|null, description: string, less_is_better: boolean|null}} Metric */
/** The catalogue of the server; null before it came. */
export const metrics = signal(/** @type {Metric[]|null} */ (null));

export async function loadMetrics() {
  if (metrics.peek()) return;
  const answer = await getJson('/api/analytics/metrics');
  // Texts have no trend and no bound.
  metrics.value = (answer.metrics ?? answer).filter(({ kind }) => kind !== 'text');
}

/** Facts of a metric, as far as they are known. */
export const metricOf = (name) => metrics.value?.find((each) => each.name === name) ?? null;

/** A few digits, as people write numbers. */
const short = (value) => (Number.isInteger(value) ? count(value) : String(Number(value.toPrecision(4))));

/** Writes values of a metric with their unit. */
export function formatOf(name) {
  if (/_seconds$/.test(name)) return duration;
  if (/_mb$/.test(name)) return (value) => bytes(value * 1048576);
  if (/_kb$/.test(name)) return (value) => bytes(value * 1024);
  if (/_bytes$/.test(name)) return bytes;
  if (/^cpu_(avg|max|min)$/.test(name)) return (value) => `${short(value)} %`;
  return short;
}

/** The name without underscores and unit. */
export const titleOf = (name) => name.replace(/_(seconds|mb|kb|bytes)$/, '').replaceAll('_', ' ');

/**
 * Counts of values in equal steps. Pure.
 * @param {number[]} values @param {number} most bins
 * @returns {{from: number, to: number, count: number}[]}
 */
export function histogram(values, most = 24) {
  if (!values.length) return [];
  const [low, high] = [Math.min(...values), Math.max(...values)];
  if (low === high) return [{ from: low, to: high, count: values.length }];
  const bins = Math.max(4, Math.min(most, Math.ceil(Math.sqrt(values.length))));
  const step = (high - low) / bins;
  const found = Array.from({ length: bins }, (_, index) => ({ from: low + index * step, to: low + (index + 1) * step, count: 0 }));
  for (const value of values) found[Math.min(bins - 1, Math.floor((value - low) / step))].count += 1;
  return found;
}

/** The value below which a share of `values` lies, by linear interpolation at (n-1)·share. */
export function quantile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (sorted.length - 1) * share;
  const [low, high] = [Math.floor(at), Math.ceil(at)];
  return sorted[low] + (sorted[high] - sorted[low]) * (at - low);
}
