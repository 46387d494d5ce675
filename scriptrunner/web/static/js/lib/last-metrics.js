/** What the last run of the script in the launch form measured: a help for gates and alert rules. */
import { getJson } from './api.js';
import { signal } from './ui.js';

/** Metrics by name, null while nothing is known. */
export const lastMetrics = signal(/** @type {{[name: string]: unknown}|null} */ (null));

let asked = '';

/** Look up the last run of a script. */
export async function loadLastMetrics(path) {
  if (path === asked) return;
  asked = path;
  lastMetrics.value = null;
  if (!path) return;
  try {
    const [run] = await getJson('/api/runs', { query: { script_path: path, status: 'completed', limit: 1 } });
    const record = run && await getJson(`/api/runs/${run.id}`);
    if (path === asked) lastMetrics.value = record?.result?.metrics ?? null;
  } catch { /* only a help */ }
}
