/** What differs between two texts, from a unified diff, with both line numbers. */
import { strip } from '../lib/ansi.js';
import { plural } from '../lib/format.js';
import { html } from '../lib/ui.js';
import { Icon, TableBox } from './basics.js';

const SIGNS = { same: ' ', added: '+', removed: '−' };

/**
 * Rows of a unified diff. Pure.
 * @param {string} text
 * @returns {{kind: 'same'|'added'|'removed'|'gap', left: number|null, right: number|null, text: string}[]}
 */
export function fromUnified(text) {
  const rows = [];
  let [left, right] = [0, 0];
  let inside = false;
  for (const line of text.split('\n')) {
    const hunk = /^@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@(.*)$/.exec(line);
    if (hunk) {
      [left, right, inside] = [Number(hunk[1]), Number(hunk[2]), true];
      rows.push({ kind: 'gap', left: null, right: null, text: line });
    } else if (inside && line.startsWith('+')) rows.push({ kind: 'added', left: null, right: right++, text: line.slice(1) });
    else if (inside && line.startsWith('-')) rows.push({ kind: 'removed', left: left++, right: null, text: line.slice(1) });
    else if (inside && line.startsWith(' ')) rows.push({ kind: 'same', left: left++, right: right++, text: line.slice(1) });
  }
  return rows;
}

/** @param {{diff: string, label: string, truncated?: boolean, same?: string, testid?: string}} props `diff` is unified; '' means equal */
export function DiffView({ diff, label, truncated, same = 'No difference', testid }) {
  const rows = fromUnified(diff);
  if (!rows.length) return html`<p class="card-note" data-testid=${testid}><${Icon} name="check" /> ${same}.</p>`;
  const [added, removed] = ['added', 'removed'].map((kind) => rows.filter((row) => row.kind === kind).length);
  return html`<div class="diff-box" data-testid=${testid}>
    <p class="card-note"><span class="text-good">${plural(added, 'line')} added</span>, <span class="text-bad">${plural(removed, 'line')} removed</span>
      ${truncated && html` · only the beginning of the differences is shown`}</p>
    <${TableBox} label=${label}><table class="diff"><tbody>
      ${rows.map((row, index) => html`<tr key=${index} class=${`diff-${row.kind}`}>
        <td class="diff-no">${row.left ?? ''}</td><td class="diff-no">${row.right ?? ''}</td>
        <td class="diff-text"><span class="diff-sign">${SIGNS[row.kind] ?? ''}</span>${strip(row.text)}</td></tr>`)}
    </tbody></table><//></div>`;
}
