/** A table of the API: sorted by the server, cards on a narrow screen, rows that keep their place. */
import { classes, html } from '../lib/ui.js';
import { Icon, TableBox } from './basics.js';

/**
 * @typedef {object} Column
 * @property {string} key @property {unknown} title beside the cell on a narrow screen, if it is text
 * @property {(row: any) => unknown} [render] default: the value of `key`
 * @property {boolean} [num] numbers stand to the right
 * @property {string} [sort] name by which the server sorts; none: not sortable
 * @property {string} [class] @property {boolean} [head] this cell names the row
 *
 * @typedef {object} Sort @property {string} by @property {boolean} descending
 */

/**
 * @param {{label: string, columns: Column[], rows: any[], rowKey: (row: any) => string|number, rowProps?: (row: any) => object,
 *   sort?: Sort, onSort?: (sort: Sort) => void, busy?: boolean, testid?: string, class?: string}} props
 */
export function DataTable({ label, columns, rows, rowKey, rowProps = () => ({}), sort, onSort, busy, testid, class: extra }) {
  return html`<${TableBox} label=${label}><table class=${classes('data-table', extra)} data-testid=${testid} aria-busy=${busy ? 'true' : undefined}>
    <thead><tr>${columns.map((column) => html`<${Head} key=${column.key} column=${column} sort=${sort} onSort=${onSort} />`)}</tr></thead>
    <tbody>${rows.map((row) => html`<tr key=${rowKey(row)} ...${rowProps(row)}>
      ${columns.map((column) => html`<${Cell} key=${column.key} column=${column} row=${row} />`)}</tr>`)}</tbody>
  </table><//>`;
}

function Head({ column, sort, onSort }) {
  const { title, num, sort: by } = column;
  const look = classes(num && 'num', column.class);
  if (!by || !onSort) return html`<th scope="col" class=${look}>${title}</th>`;
  const mine = sort?.by === by;
  const order = mine ? (sort.descending ? 'descending' : 'ascending') : undefined;
  const icon = mine ? (sort.descending ? 'arrow-down' : 'arrow-up') : 'arrow-up-down';
  const next = { by, descending: mine ? !sort.descending : Boolean(num) };
  return html`<th scope="col" class=${look} aria-sort=${order}><button type="button" class=${classes('sort', mine && 'is-on')}
    onClick=${() => onSort(next)}>${title}<${Icon} name=${icon} /></button></th>`;
}

function Cell({ column, row }) {
  const { key, num, head } = column;
  const title = typeof column.title === 'string' ? column.title : '';
  const look = classes(num && 'num', column.class);
  const shown = column.render ? column.render(row) : row[key] ?? '–';
  return head ? html`<th scope="row" class=${look} data-label=${title}>${shown}</th>` : html`<td class=${look} data-label=${title}>${shown}</td>`;
}
