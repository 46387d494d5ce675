/** Which rows of a long list are on the screen. Pure. */

/** Rows drawn above and below what is visible, so that a small scroll shows no gap. */
export const OVERSCAN = 12;

/**
 * @param {{scrollTop: number, height: number, rowHeight: number, count: number}} view sizes in CSS px
 * @returns {{first: number, end: number}} first row to draw and the one after the last
 */
export function visibleRows({ scrollTop, height, rowHeight, count }) {
  const first = Math.max(0, Math.floor(scrollTop / rowHeight) - OVERSCAN);
  const end = Math.min(count, Math.ceil((scrollTop + height) / rowHeight) + OVERSCAN);
  return { first: Math.min(first, Math.max(0, count - 1)), end };
}

/** Whether the end of the list is in view, give or take a row. */
export const isAtEnd = ({ scrollTop, height, rowHeight, count }) => scrollTop + height >= count * rowHeight - rowHeight * 1.5;
