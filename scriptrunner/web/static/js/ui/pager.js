/** Walking through the pages of a list that the server pages. */
import { count } from '../lib/format.js';
import { html } from '../lib/ui.js';
import { IconButton } from './basics.js';

export const PAGE_SIZES = [25, 50, 100, 200];

/**
 * @param {{label: string, page: number, size: number, shown: number, total: number, onPage: (page: number) => void,
 *   onSize?: (size: number) => void, sizes?: number[], testid?: string}} props `page` counts from 1, `shown` are its rows
 */
export function Pager({ label, page, size, shown, total, onPage, onSize, sizes = PAGE_SIZES, testid = 'page' }) {
  if (!total) return null;
  const last = Math.max(1, Math.ceil(total / size));
  const first = (page - 1) * size;
  const range = [first + 1, first + shown].map((each) => count(Math.min(each, total))).join('–');
  const option = (each) => html`<option key=${each} value=${String(each)} selected=${each === size}>${each}</option>`;
  return html`<nav class="pager" aria-label=${label}>
    <span class="muted" data-testid=${`${testid}-range`}>${range} of ${count(total)}</span>
    <span class="push"></span>
    ${onSize && html`<label class="page-size">Rows <select data-testid=${`${testid}-size`} value=${String(size)}
      onChange=${(event) => onSize(Number(event.target.value))}>${sizes.map(option)}</select></label>`}
    <${IconButton} icon="chevron-left" label="Previous page" refusal=${page > 1 ? '' : 'this is the first'}
      onClick=${() => onPage(page - 1)} data-testid=${`${testid}-prev`} />
    <span class="nowrap">${count(page)} / ${count(last)}</span>
    <${IconButton} icon="chevron-right" label="Next page" refusal=${page < last ? '' : 'this is the last'}
      onClick=${() => onPage(page + 1)} data-testid=${`${testid}-next`} />
  </nav>`;
}
