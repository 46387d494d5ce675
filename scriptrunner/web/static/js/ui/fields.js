/** The inputs of a form made from the schema: one widget per kind of value. */
import { isSecretName, isValidName } from '../lib/schema.js';
import { join, split, UnclosedQuote } from '../lib/shellwords.js';
import { classes, html, lazy, useState } from '../lib/ui.js';
import { Button, IconButton } from './basics.js';

/**
 * A label, its input, what it means, and what is wrong with it.
 * @param {{field: import('../lib/schema.js').Field, fault?: string, children: unknown, hint?: unknown}} props
 */
export function FieldFrame({ field, fault, children, hint }) {
  const id = `field-${field.name}`;
  return html`<div class=${classes('field', `widget-${field.widget}`, fault && 'has-fault', field.edited && 'is-edited')}>
    ${field.widget !== 'switch' && html`<label for=${id} id=${`${id}-label`}>${field.label}</label>`}
    ${children}
    ${fault && html`<p class="fault" id=${`${id}-fault`}>${fault}</p>`}
    <p class="help" id=${`${id}-help`}>${hint ?? field.help}</p>
  </div>`;
}

/** Attributes that every input of a field has. */
export function common(field, fault) {
  const id = `field-${field.name}`;
  return {
    id,
    name: field.name,
    'data-testid': id,
    'aria-describedby': fault ? `${id}-fault ${id}-help` : `${id}-help`,
    'aria-invalid': fault ? 'true' : undefined,
  };
}

export function TextField({ field, value, onChange, fault, ...rest }) {
  return html`<${FieldFrame} field=${field} fault=${fault}>
    <input type="text" ...${common(field, fault)} value=${value ?? ''} placeholder=${field.placeholder} spellcheck=${false} autocomplete="off"
      autocapitalize="off" onInput=${(event) => onChange(event.target.value || null)} ...${rest} /><//>`;
}

export function NumberField({ field, value, onChange, fault }) {
  const read = (event) => {
    const { value: text, validity } = event.target;
    if (!validity.badInput) onChange(text === '' ? field.initial : Number(text));
  };
  const step = field.integer ? 1 : 'any';
  return html`<${FieldFrame} field=${field} fault=${fault}>
    <span class="with-unit">
      <input type="number" inputmode=${field.integer ? 'numeric' : 'decimal'} ...${common(field, fault)} value=${value ?? ''}
        placeholder=${field.placeholder || String(field.initial ?? '')} min=${field.min} max=${field.max} step=${step} onInput=${read} />
      ${field.unit && html`<span class="unit">${field.unit}</span>`}
    </span><//>`;
}

export function SelectField({ field, value, onChange, fault }) {
  return html`<${FieldFrame} field=${field} fault=${fault}>
    <select ...${common(field, fault)} value=${value} onChange=${(event) => onChange(event.target.value)}>
      ${(field.choices ?? [value]).map((choice) => html`
        <option key=${choice} value=${choice} selected=${choice === value}>${choice.replaceAll('_', ' ')}</option>`)}
    </select><//>`;
}

export function SwitchField({ field, value, onChange, fault }) {
  return html`<${FieldFrame} field=${field} fault=${fault}>
    <label class="switch"><input type="checkbox" role="switch" ...${common(field, fault)} checked=${Boolean(value)}
      onChange=${(event) => onChange(event.target.checked)} /><span>${field.label}</span></label><//>`;
}

/** Arguments as one shell-like line, or one by one; the list is what is sent. */
export function ArgsField({ field, value, onChange, fault }) {
  const [line, setLine] = useState(() => join(value));
  const [asList, setAsList] = useState(() => value.some((each) => /[\n\r]/.test(each)));
  const [broken, setBroken] = useState('');
  // The value may have been replaced from outside, by a reset for example.
  const shown = broken || sameWords(line, value) ? line : join(value);
  const readLine = (event) => {
    const text = event.target.value;
    setLine(text);
    try {
      onChange(split(text));
      setBroken('');
      event.target.setCustomValidity('');
    } catch (error) {
      if (!(error instanceof UnclosedQuote)) throw error;
      setBroken(error.message);
      event.target.setCustomValidity(error.message);
    }
  };
  const replace = (index, text) => onChange(value.map((each, at) => (at === index ? text : each)));
  const changeView = () => {
    setLine(join(value));
    setBroken('');
    setAsList(!asList);
  };
  const toggle = html`<button type="button" class="link-btn" onClick=${changeView}>${asList ? 'as a line' : 'one by one'}</button>`;
  const words = value.length > 0 && html`<span class="words">
    ${value.map((word, index) => html`<code key=${index}>${word === '' ? '∅' : word}</code>`)}</span>`;
  const hint = html`${broken || words || field.help} ${toggle}`;
  if (!asList) {
    return html`<${FieldFrame} field=${field} fault=${fault} hint=${hint}>
      <input type="text" class="mono" ...${common(field, fault)} value=${shown} placeholder=${field.placeholder} spellcheck=${false}
        autocomplete="off" autocapitalize="off" onInput=${readLine} /><//>`;
  }
  return html`<${FieldFrame} field=${field} fault=${fault} hint=${toggle}>
    <div class="rows" role="group" aria-labelledby=${`field-${field.name}-label`}>
      ${value.map((word, index) => html`<div class="row" key=${index}>
        <textarea rows=${1 + (word.match(/\n/g)?.length ?? 0)} class="mono" aria-label=${`Argument ${index + 1}`} value=${word} spellcheck=${false}
          onInput=${(event) => replace(index, event.target.value)}></textarea>
        <${IconButton} icon="x" label=${`Remove argument ${index + 1}`} onClick=${() => onChange(value.filter((_, at) => at !== index))} /></div>`)}
      <${Button} icon="plus" label="Add argument" compact=${true} id=${`field-${field.name}`} onClick=${() => onChange([...value, ''])} />
    </div><//>`;
}

function sameWords(line, words) {
  try {
    return JSON.stringify(split(line)) === JSON.stringify(words);
  } catch {
    return false;
  }
}

/** Names and values; a pasted .env file becomes rows; secret-looking values are covered. */
export function EnvField({ field, value, onChange, fault }) {
  // Rows keep their order and may have the same or no name while they are typed.
  const [rows, setRows] = useState(() => Object.entries(value));
  const current = JSON.stringify(toObject(rows)) === JSON.stringify(value) ? rows : Object.entries(value);
  const put = (next) => {
    setRows(next);
    onChange(toObject(next));
  };
  const replace = (index, pair) => put(current.map((each, at) => (at === index ? pair : each)));
  const onPaste = (index) => async (event) => {
    const text = event.clipboardData?.getData('text') ?? '';
    if (!text.includes('=')) return;
    event.preventDefault();
    const { parseDotenv } = await import('../lib/dotenv.js');
    const pairs = parseDotenv(text);
    if (pairs.length) put([...current.slice(0, index), ...pairs, ...current.slice(index + 1)]);
  };
  return html`<${FieldFrame} field=${field} fault=${fault} hint=${html`${field.help} A pasted .env file is split into rows.`}>
    <div class="rows" role="group" aria-labelledby=${`field-${field.name}-label`} data-testid=${`field-${field.name}`}
      id=${`field-${field.name}`} tabindex="-1">
      ${current.map((pair, index) => html`<${EnvRow} key=${index} number=${index + 1} pair=${pair} onPaste=${onPaste(index)}
        onChange=${(next) => replace(index, next)} onRemove=${() => put(current.filter((_, at) => at !== index))} />`)}
      <${Button} icon="plus" label="Add variable" compact=${true} data-testid="env-add" onClick=${() => setRows([...current, ['', '']])} />
    </div><//>`;
}

function EnvRow({ number, pair: [name, text], onPaste, onChange, onRemove }) {
  const called = name || `row ${number}`;
  const plain = { class: 'mono', spellcheck: false, autocomplete: 'off', autocapitalize: 'off' };
  return html`<div class="row env-row">
    <input type="text" ...${plain} aria-label=${`Name ${number}`} placeholder="NAME" value=${name} onPaste=${onPaste}
      aria-invalid=${name && !isValidName(name) ? 'true' : undefined} onInput=${(event) => onChange([event.target.value, text])} />
    <input type=${isSecretName(name) ? 'password' : 'text'} ...${plain} aria-label=${`Value of ${called}`} placeholder="value"
      value=${text} onInput=${(event) => onChange([name, event.target.value])} />
    <${IconButton} icon="x" label=${`Remove ${called}`} onClick=${onRemove} />
  </div>`;
}

/** Rows without a name are not sent; the last of equal names wins. */
const toObject = (rows) => Object.fromEntries(rows.filter(([name]) => name !== ''));

/** Text that is not shown while it is typed, and not kept by the browser. */
export function SecretField(props) {
  return html`<${TextField} ...${props} type="password" class="mono" autocomplete="new-password" />`;
}

const rows = () => import('./fields-of-rows.js');
const WIDGETS = {
  text: TextField, number: NumberField, select: SelectField, switch: SwitchField, args: ArgsField, env: EnvField, secret: SecretField,
  gates: lazy(() => rows().then((module) => module.GatesField)),
  alerts: lazy(() => rows().then((module) => module.AlertsField)),
  folder: lazy(() => import('./folder-field.js').then((module) => module.FolderField)),
};

/** The widget of a field. */
export function SchemaField({ field, ...rest }) {
  return html`<${WIDGETS[field.widget] ?? TextField} field=${field} ...${rest} />`;
}
