/** What stands in the launch form; it survives a reload and a failed start. */
import { getJson, request } from './api.js';
import { load, save } from './prefs.js';
import { initialValues, isSecretName, readForm } from './schema.js';
import { computed, effect, signal } from './ui.js';

/** Groups and fields, read from the API's own description; null before that. */
export const form = signal(/** @type {ReturnType<typeof readForm>|null} */ (null));
export const formError = signal(/** @type {Error|null} */ (null));

const kept = load('launch', {}, 'sessionStorage');

/** Values that were touched, by field name. */
const touched = signal(kept.values ?? {});
/** 'path' for a script on the server, 'upload' for a file of this computer. */
export const mode = signal(kept.mode ?? 'path');
/** Keys of the groups that are open. */
export const openGroups = signal(/** @type {string[]} */ (kept.open ?? []));
/** The chosen file; a browser does not give it back after a reload. */
export const file = signal(/** @type {File|null} */ (null));
/** Name of the file that was chosen before a reload. */
export const lostFile = signal(kept.file ?? '');
/** The run whose options were filled in, to be edited. */
export const origin = signal(/** @type {{id: string, request: {[name: string]: any}, masked: string[]}|null} */ (kept.origin ?? null));

/** All values, defaults filled in. */
export const values = computed(() => (form.value ? { ...initialValues(form.value.fields), ...touched.value } : {}));

/** Paths of secrets that the server did not tell and nobody has typed again. */
export const missing = computed(() => (origin.value?.masked ?? []).filter((path) => {
  const [field, ...rest] = path.split('.');
  if (field !== 'env_vars') return !values.value[field];
  return values.value.env_vars?.[rest.join('.')] === '';
}));

export const setValue = (name, value) => {
  touched.value = { ...touched.peek(), [name]: value };
};

export function setMode(next) {
  mode.value = next;
}

/** Back to the defaults. */
export function resetForm() {
  touched.value = {};
  file.value = null;
  lostFile.value = '';
  origin.value = null;
}

/** Replace everything, by a favourite or by JSON that was edited. */
export function fillWith(next, { upload = false } = {}) {
  resetForm();
  touched.value = next;
  mode.value = upload ? 'upload' : 'path';
}

/**
 * Fill in all options of a run. What the server does not tell stays empty and is named in `missing`.
 * @param {string} id
 */
export async function fillFromRun(id) {
  const { request: all, masked, is_upload: upload } = await getJson(`/api/runs/${id}/request`);
  const env = { ...all.env_vars };
  for (const path of masked) if (path.startsWith('env_vars.')) env[path.slice('env_vars.'.length)] = '';
  const known = { ...all, env_vars: env, slack_webhook: masked.includes('slack_webhook') ? null : all.slack_webhook };
  fillWith(known, { upload });
  origin.value = { id, request: known, masked };
  if (upload) file.value = await fileOf(id, all.script_path.replace(/^upload:/, ''));
}

/** The bytes that a run had brought along, as a file to be sent again; null if they are gone. */
async function fileOf(id, name) {
  try {
    const bytes = await (await request('GET', `/api/runs/${id}/script`)).blob();
    return new File([bytes], name, { type: 'text/x-python' });
  } catch {
    lostFile.value = name;
    return null;
  }
}

export async function loadForm() {
  if (form.peek()) return;
  try {
    form.value = readForm(await getJson('/openapi.json'));
    formError.value = null;
  } catch (error) {
    formError.value = /** @type {Error} */ (error);
  }
}

/** Secrets are not written to the browser's storage. */
export function withoutSecrets(all) {
  const env = Object.entries(all.env_vars ?? {}).map(([name, value]) => [name, isSecretName(name) ? '' : value]);
  const { slack_webhook: _, ...rest } = all;
  return all.env_vars ? { ...rest, env_vars: Object.fromEntries(env) } : rest;
}

effect(() => {
  save('launch', {
    values: withoutSecrets(touched.value), mode: mode.value, open: openGroups.value, file: file.value?.name ?? lostFile.value,
    origin: origin.value && { ...origin.value, request: withoutSecrets(origin.value.request) },
  }, 'sessionStorage');
});
