/** What every part of the library shows: tags with their colours, roots with their scans. */
import { getJson, idempotencyKey, postJson } from './api.js';
import { signal } from './ui.js';

/** How far a script has come; chosen, never typed. */
export const LIFECYCLE = ['draft', 'active', 'deprecated', 'archived'];
/** Those that ask before they run. */
export const RETIRED = ['deprecated', 'archived'];
/** Colours that a new tag is offered. */
export const SWATCHES = ['#6366f1', '#0ea5e9', '#10b981', '#84cc16', '#f59e0b', '#ef4444', '#ec4899', '#64748b'];

/** @typedef {{id: number, name: string, color: string, script_count: number}} Tag */
/** All tags by name; null before they came. */
export const tags = signal(/** @type {Tag[]|null} */ (null));
/** All roots by name; null before they came. */
export const roots = signal(/** @type {object[]|null} */ (null));
/** When they came, ms since 1970. */
export const rootsAt = signal(0);
/** Why the roots could not be loaded, or null. */
export const rootsError = signal(/** @type {Error|null} */ (null));

export async function loadTags() {
  tags.value = await getJson('/api/library/tags');
}

export async function loadRoots() {
  try {
    roots.value = await getJson('/api/library/folder-roots');
    rootsAt.value = Date.now();
    rootsError.value = null;
  } catch (error) {
    rootsError.value = /** @type {Error} */ (error);
  }
}

/** Colour of the tag of that name, or null. */
export const colorOf = (name) => tags.value?.find((tag) => tag.name === name)?.color ?? null;

/** Put the state of a scan, as the stream tells it, on its root; false if the root is not known. */
export function takeScan(scan) {
  const root = roots.peek()?.find(({ id }) => id === scan.root_id);
  if (!root) return false;
  roots.value = roots.peek().map((each) => (each === root ? { ...each, last_scan: scan } : each));
  return true;
}

/** Start a run of a script; `options` are those of a RunRequest without the path. */
export const runScript = (id, options = {}) => postJson(`/api/library/scripts/${id}/run`, {
  json: options, headers: { 'Idempotency-Key': idempotencyKey() },
});
