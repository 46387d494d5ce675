/** Tiny charts inside a line of text or a card. The words beside them say the same. */
import { html } from '../lib/ui.js';

/**
 * Bars from left to right.
 * @param {{values: (number|null)[], label: string, tones?: (string|undefined)[], height?: number, titles?: string[]}} props `label` is what it shows, in words
 */
export function SparkBars({ values, label, tones = [], height = 24, titles = [] }) {
  const top = Math.max(...values.map((each) => each ?? 0), 0) || 1;
  const width = 4;
  return html`<svg class="spark" role="img" aria-label=${label} viewBox=${`0 0 ${values.length * (width + 1) - 1} ${height}`}
    width=${values.length * (width + 1) - 1} height=${height} preserveAspectRatio="none">
    ${values.map((value, index) => {
    const tall = value ? Math.max(2, (height * value) / top) : 1;
    return html`<rect key=${index} x=${index * (width + 1)} y=${height - tall} width=${width} height=${tall} rx="1"
        class=${tones[index] ? `tone-${tones[index]}` : ''}>${titles[index] && html`<title>${titles[index]}</title>`}</rect>`;
  })}</svg>`;
}

/** A line. @param {{values: (number|null)[], label: string, width?: number, height?: number}} props */
export function SparkLine({ values, label, width = 96, height = 24 }) {
  const known = values.filter((each) => each !== null);
  if (known.length < 2) return null;
  const [low, high] = [Math.min(...known), Math.max(...known)];
  const y = (value) => height - 2 - ((height - 4) * (value - low)) / (high - low || 1);
  const points = values.map((value, index) => (value === null ? null : `${((width * index) / (values.length - 1)).toFixed(1)},${y(value).toFixed(1)}`));
  return html`<svg class="spark" role="img" aria-label=${label} viewBox=${`0 0 ${width} ${height}`} width=${width} height=${height}>
    <polyline points=${points.filter(Boolean).join(' ')} /></svg>`;
}
