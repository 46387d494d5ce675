/** The runs of a filter as CSV, made from pages of the list. */
import { request } from './api.js';
import { join } from './shellwords.js';

/** Most runs of one file: so many are a matter of seconds and fit into any spreadsheet. */
export const MOST_EXPORTED = 20_000;
const PAGE = 200;

/** Names of the columns and where a run has their values. @type {[string, (run: any) => unknown][]} */
const COLUMNS = [
  ['id', (run) => run.id],
  ['status', (run) => run.status],
  ['run_status', (run) => run.run_status],
  ['reason', (run) => run.reason],
  ['script_path', (run) => run.request?.script_path ?? run.script?.path],
  ['args', (run) => join(run.request?.args ?? [])],
  ['correlation_id', (run) => run.correlation_id],
  ['trigger', (run) => run.trigger],
  ['principal', (run) => run.principal],
  ['queued_at', (run) => run.queued_at],
  ['started_at', (run) => run.started_at],
  ['finished_at', (run) => run.finished_at],
  ['duration_seconds', (run) => run.duration_seconds],
  ['exit_code', (run) => run.exit_code],
  ['memory_max_mb', (run) => run.result?.metrics?.memory_max_mb],
  ['error', (run) => run.error],
  ['tags', (run) => (run.tags ?? []).map(({ name }) => name).join(' ')],
];

/** A value as a cell: quoted where it must be, and never a formula to a spreadsheet. */
export function cell(value) {
  if (value === null || value === undefined) return '';
  if (typeof value !== 'string') return String(value);
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Lines of some runs, each with its end. */
export const toLines = (runs) => runs.map((run) => `${COLUMNS.map(([, read]) => cell(read(run))).join(',')}\r\n`).join('');

const HEAD = `${COLUMNS.map(([name]) => name).join(',')}\r\n`;

/**
 * Fetch the runs that match, newest first.
 * @param {object} query what narrows the list, as the API takes it
 * @param {{signal: AbortSignal, onProgress: (done: number, all: number) => void}} options
 * @returns {Promise<{blob: Blob, done: number, all: number}>} `all` counts those that were left out, too
 */
export async function collectRuns(query, { signal, onProgress }) {
  const pieces = [HEAD];
  const seen = new Set();
  let before = /** @type {string|null} */ (null);
  let all = 0;
  do {
    const answer = await request('GET', '/api/runs', { query: { ...query, with_tags: true, limit: PAGE, before }, signal });
    // Between two pages a run may be deleted, but none can come twice.
    const runs = (await answer.json()).filter(({ id }) => !seen.has(id));
    for (const { id } of runs) seen.add(id);
    pieces.push(toLines(runs));
    all = Math.max(all, Number(answer.headers.get('X-Total-Count') ?? seen.size));
    before = answer.headers.get('X-Next-Before');
    onProgress(seen.size, Math.min(all, MOST_EXPORTED));
  } while (before && seen.size < MOST_EXPORTED);
  return { blob: new Blob(pieces, { type: 'text/csv;charset=utf-8' }), done: seen.size, all };
}
