/** The launch form as the OpenAPI document describes it. Pure. */

/**
 * @typedef {object} Field
 * @property {string} name @property {string} label @property {string} widget @property {string} group
 * @property {string} help @property {string} [unit] @property {string} [placeholder] @property {number[]} [presets]
 * @property {boolean} [edited] differs from the run that is edited
 * @property {string} [shown_when] name of the switch that shows it
 * @property {boolean} advanced @property {boolean} integer
 * @property {string[]|null} choices @property {number|undefined} min @property {number|undefined} max
 * @property {unknown} initial the default of the API
 */

/** @returns {{groups: {key: string, title: string, help: string}[], fields: Field[]}} */
export function readForm(document, name = 'RunRequest') {
  const schema = document.components.schemas[name];
  const fields = Object.entries(schema.properties)
    .filter(([, property]) => property['x-form'])
    .map(([each, property]) => readField(each, property, document))
    .sort((a, b) => a.order - b.order);
  return { groups: schema['x-form-groups'], fields };
}

function readField(name, property, document) {
  const type = plainType(property, document);
  return {
    name,
    advanced: false,
    placeholder: '',
    ...property['x-form'],
    choices: type.enum ?? null,
    integer: type.type === 'integer',
    min: type.minimum ?? type.exclusiveMinimum,
    max: type.maximum ?? type.exclusiveMaximum,
    initial: property.default ?? emptyOf(type),
  };
}

/** The type itself, without "or null" and without references. */
function plainType(property, document) {
  if (property.$ref) return plainType(document.components.schemas[property.$ref.split('/').at(-1)], document);
  const choices = property.anyOf ?? property.oneOf ?? property.allOf;
  if (!choices) return property;
  return plainType(choices.find((each) => each.type !== 'null') ?? {}, document);
}

function emptyOf(type) {
  if (type.type === 'array') return [];
  return type.type === 'object' ? {} : null;
}

/** Whether a value differs from the API's default. */
export const isChanged = (field, value) => JSON.stringify(value) !== JSON.stringify(field.initial);

/** The values of a fresh form. */
export const initialValues = (fields) => Object.fromEntries(fields.map(({ name, initial }) => [name, initial]));

/**
 * What a form sends: only what differs from the defaults, and nothing of a hidden field.
 * @param {Field[]} fields @param {{[name: string]: unknown}} values
 */
export function toRequest(fields, values) {
  const sent = fields.filter((field) => isChanged(field, values[field.name]) && isShown(field, values));
  return Object.fromEntries(sent.map(({ name }) => [name, values[name]]));
}

/** Whether a field is part of the form now. */
export const isShown = (field, values) => !field.shown_when || Boolean(values[field.shown_when]);

/** The form fields of an upload: scalars as text, lists and objects as JSON. */
export function toFormData(request, file) {
  const form = new FormData();
  for (const [name, value] of Object.entries(request)) {
    form.append(name, typeof value === 'object' ? JSON.stringify(value) : String(value));
  }
  form.append('file', file, file.name);
  return form;
}

const CODES = {
  invalid_script_path: 'script_path', symlink_not_allowed: 'script_path', script_missing: 'script_path',
  script_outside_root: 'script_path', not_python: 'script_path', script_not_allowed: 'script_path',
  invalid_working_dir: 'working_dir', invalid_timeout: 'timeout', too_many_args: 'args', invalid_arg: 'args',
  invalid_env: 'env_vars',
};

/**
 * Which field each fault of an answer belongs to; '' is the form as a whole.
 * @param {{code: string, message: string, faults: {loc: (string|number)[], msg: string}[]}} error
 * @returns {Map<string, string>}
 */
export function faultsByField(error, fields) {
  const known = new Set(fields.map(({ name }) => name));
  const found = new Map();
  const add = (name, text) => found.set(name, found.has(name) ? `${found.get(name)}; ${text}` : text);
  for (const { loc, msg } of error.faults) {
    const [, name, ...rest] = loc;
    if (known.has(name) || name === 'file') add(name, rest.length ? `${rest.join('.')}: ${msg}` : msg);
    else add('', loc.length > 1 ? `${loc.slice(1).join('.')}: ${msg}` : msg);
  }
  if (!error.faults.length) add(CODES[error.code] ?? '', error.message);
  return found;
}

/** Names whose values are not shown, by the server's own rule. */
export const isSecretName = (name) => /pass|secret|token|key|cred|auth|dsn|cookie/i.test(name);

/** Names that an environment variable may have. */
export const isValidName = (name) => /^[A-Za-z_]\w{0,127}$/.test(name);

/** Waits between attempts in seconds, as the server will make them (jitter left out). */
export function retryWaits(values) {
  const { retry_strategy: strategy, retry_initial_delay: first, retry_multiplier: factor, retry_max_delay: cap } = values;
  const waits = [];
  let [a, b] = [1, 1];
  for (let index = 0; index < values.retry_max_attempts - 1; index += 1) {
    const raw = strategy === 'linear' ? first * (index + 1) : strategy === 'fibonacci' ? first * a : first * factor ** index;
    waits.push(Math.min(raw, cap));
    [a, b] = [b, a + b];
  }
  return waits;
}
