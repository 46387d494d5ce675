/** Sending the launch form, and saying what came of it. */
import { postJson } from '../../lib/api.js';
import { href } from '../../lib/boot.js';
import { file, mode, values } from '../../lib/launch-state.js';
import { toFormData, toRequest } from '../../lib/schema.js';
import { showToast } from '../toast.js';

/**
 * What the form would send.
 * @param {import('../../lib/schema.js').Field[]} fields
 */
export function currentRequest(fields) {
  const request = toRequest(fields, values.peek());
  if (mode.peek() === 'path') return request;
  const { script_path: _, ...options } = request;
  return options;
}

/** @param {import('../../lib/schema.js').Field[]} fields @param {{key: string, dry: boolean}} how */
export function start(fields, { key, dry }) {
  const request = { ...currentRequest(fields), ...(dry ? { dry_run: true } : {}) };
  const headers = { 'Idempotency-Key': key };
  if (mode.peek() === 'path') return postJson('/api/run', { json: request, headers });
  return postJson('/api/run/upload', { form: toFormData(request, file.peek()), headers });
}

export function announce({ run_id: id, warnings = [] }) {
  showToast('Queued', { link: { href: href(`/runs/${id}/log`), text: 'Open its log' } });
  for (const warning of warnings) showToast(warning, { tone: 'warn' });
}
