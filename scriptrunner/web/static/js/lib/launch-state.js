/** What stands in the launch form; it survives a reload and a failed start. */
import { getJson } from './api.js';
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
/** Keys of the groups that are open. @type {ReturnType<typeof signal<string[]>>} */
export const openGroups = signal(kept.open ?? []);
/** The chosen file; a browser does not give it back after a reload. */
export const file = signal(/** @type {File|null} */ (null));
/** Name of the file that was chosen before a reload. */
export const lostFile = signal(kept.file ?? '');

/** All values, defaults filled in. */
export const values = computed(() => (form.value ? { ...initialValues(form.value.fields), ...touched.value } : {}));

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

/** Values of secret-looking variables are not written to the browser's storage. */
function withoutSecrets(all) {
  if (!all.env_vars) return all;
  const open = Object.entries(all.env_vars).map(([name, value]) => [name, isSecretName(name) ? '' : value]);
  return { ...all, env_vars: Object.fromEntries(open) };
}

effect(() => {
  save('launch', {
    values: withoutSecrets(touched.value), mode: mode.value, open: openGroups.value, file: file.value?.name ?? lostFile.value,
  }, 'sessionStorage');
});
