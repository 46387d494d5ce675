/** Gates as the server judges them. Pure. */

/**
 * Why a gate fails, or ''. A missing metric fails; a bound itself passes.
 * @param {{metric: string, min_value: number|null, max_value: number|null}} gate
 * @param {{[metric: string]: number}} metrics
 */
export function checkGate({ metric, min_value: min, max_value: max }, metrics) {
  if (min === null && max === null) return '';
  const value = metrics[metric];
  if (typeof value !== 'number') return `${metric} is missing`;
  if (max !== null && value > max) return `${metric} = ${round(value)} exceeds ${max}`;
  if (min !== null && value < min) return `${metric} = ${round(value)} is below ${min}`;
  return '';
}

const round = (value) => Number(value.toPrecision(4));

/** What all gates say of each run. */
export const verdictsOf = (gates, items) => items.map((item) => ({ item, reasons: gates.map((gate) => checkGate(gate, item.metrics)).filter(Boolean) }));
