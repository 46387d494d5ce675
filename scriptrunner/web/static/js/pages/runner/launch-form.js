/** The launch card: a script of the server or an upload, with every option of the API. */
import { can, idempotencyKey, postJson } from '../../lib/api.js';
import { href } from '../../lib/boot.js';
import { plural } from '../../lib/format.js';
import { useHotkeys } from '../../lib/hotkeys.js';
import {
  file, form, formError, loadForm, lostFile, mode, openGroups, resetForm, setMode, setValue, values,
} from '../../lib/launch-state.js';
import { rowIds, rowRun, showStarted } from '../../lib/runs-list.js';
import { faultsByField, isChanged, isShown, retryWaits, toFormData, toRequest } from '../../lib/schema.js';
import { classes, html, useEffect, useRef, useState } from '../../lib/ui.js';
import { Button, Card, ErrorBox, Icon, Segments, Skeleton } from '../../ui/basics.js';
import { common, FieldFrame, SchemaField } from '../../ui/fields.js';
import { showToast } from '../../ui/toast.js';

export function LaunchCard() {
  useEffect(() => {
    loadForm();
  }, []);
  const ready = form.value;
  return html`<${Card} title="Launch" class="launch" data-testid="launch-card" actions=${ready && html`
    <${Segments} label="Where the script is" name="launch-mode" value=${mode.value} choices=${MODES} onChange=${setMode} />
    <${Button} label="Reset" compact=${true} kind="quiet" onClick=${resetForm} title="Back to the defaults" />`}>
    ${ready ? html`<${LaunchForm} ...${ready} />`
      : formError.value ? html`<${ErrorBox} error=${formError.value} onRetry=${loadForm} title="The form could not be loaded" />`
        : html`<${Skeleton} lines=${2} />`}
  <//>`;
}

const MODES = [['path', 'On the server'], ['upload', 'Upload']];

function LaunchForm({ groups, fields }) {
  const element = useRef(null);
  const key = useRef('');
  const [busy, setBusy] = useState(false);
  const [faults, setFaults] = useState(/** @type {Map<string, string>} */ (new Map()));
  const [failure, setFailure] = useState(null);
  const current = values.value;

  const submit = async () => {
    if (busy) return;
    const local = localFaults(element.current);
    if (mode.peek() === 'upload' && !file.peek()) local.set('file', 'Choose a Python file');
    if (local.size) {
      reject(local, null);
      return;
    }
    setBusy(true);
    // The same key until there is an answer: a repeated click after a broken connection starts nothing twice.
    key.current ||= idempotencyKey();
    try {
      const answer = await start(fields, key.current);
      key.current = '';
      setFaults(new Map());
      setFailure(null);
      announce(answer);
    } catch (error) {
      if (error.status) key.current = '';
      reject(faultsByField(error, fields), error);
    }
    setBusy(false);
  };

  const reject = (found, error) => {
    setFaults(found);
    setFailure(error);
    const hidden = fields.filter((field) => field.advanced && found.has(field.name)).map(({ group }) => group);
    openGroups.value = [...new Set([...openGroups.peek(), ...hidden])];
    setTimeout(() => element.current?.querySelector('[aria-invalid=true], .has-fault input')?.focus());
  };

  const goToForm = () => element.current?.querySelector('input, button')?.focus();
  useHotkeys([{ keys: 'n', label: 'New run: go to the launch form', group: 'Runner', run: goToForm }]);

  const onKeyDown = (event) => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      submit();
    }
  };
  const change = (name) => (value) => {
    setValue(name, value);
    if (faults.has(name)) setFaults(new Map([...faults].filter(([each]) => each !== name)));
  };
  const props = (field) => ({
    key: field.name, field, value: current[field.name], fault: faults.get(field.name), onChange: change(field.name),
  });
  const widget = (field) => html`<${SchemaField} ...${props(field)} />`;
  const plain = fields.filter((field) => !field.advanced && field.widget !== 'script');
  const scriptField = fields.find((field) => field.widget === 'script');
  const permission = mode.value === 'upload' ? 'run.upload' : 'run.start';
  const refusal = can(permission) ? '' : `This needs the permission ${permission}`;

  return html`<form ref=${element} class="launch-form" data-testid="launch-form" novalidate onKeyDown=${onKeyDown}
    onSubmit=${(event) => { event.preventDefault(); submit(); }} ...${dropTarget()}>
    ${failure && html`<${FaultSummary} error=${failure} faults=${faults} fields=${fields} />`}
    <div class="launch-main">
      ${mode.value === 'path' ? html`<${PathField} ...${props(scriptField)} />` : html`<${UploadField} fault=${faults.get('file')} />`}
      ${plain.map(widget)}
      <div class="launch-go"><${Button} kind="primary" type="submit" icon="play" label=${busy ? 'Starting…' : 'Start'} busy=${busy}
        refusal=${refusal} title="Start this run (Ctrl Enter)" data-testid="launch-submit" /></div>
    </div>
    <div class="launch-groups">
      ${groups.map((group) => html`<${GroupSwitch} key=${group.key} group=${group} fields=${fields} current=${current} />`)}
    </div>
    ${groups.filter(({ key: each }) => openGroups.value.includes(each)).map((group) => html`
      <fieldset key=${group.key} id=${`group-${group.key}`} class=${`launch-group group-${group.key}`}>
        <legend>${group.title}<span class="muted"> ${group.help}</span></legend>
        <div class="fields">${advanced(fields, group).filter((field) => isShown(field, current)).map(widget)}</div>
        ${group.key === 'retry' && current.retry_on_failure && html`<p class="help preview">${retryPreview(current)}</p>`}
      </fieldset>`)}
  </form>`;
}

const advanced = (fields, group) => fields.filter((field) => field.group === group.key && field.advanced);

/** Opens a group; while closed it shows what differs from the defaults. */
function GroupSwitch({ group, fields, current }) {
  const mine = advanced(fields, group);
  if (!mine.length) return null;
  const open = openGroups.value.includes(group.key);
  const changed = mine.filter((field) => isShown(field, current) && isChanged(field, current[field.name]));
  const toggle = () => {
    openGroups.value = open ? openGroups.value.filter((each) => each !== group.key) : [...openGroups.value, group.key];
  };
  const title = group.key === 'script' ? 'Folder & environment' : group.title;
  return html`<button type="button" class=${classes('group-switch', changed.length && 'is-changed')} aria-expanded=${String(open)}
    aria-controls=${`group-${group.key}`} onClick=${toggle} data-testid=${`group-${group.key}`}>
    <${Icon} name=${open ? 'chevron-down' : 'chevron-right'} />${title}
    ${changed.length > 0 && html`<span class="changes">${changed.map((field) => brief(field, current[field.name])).join(', ')}</span>`}</button>`;
}

function brief(field, value) {
  if (value === true) return field.name === 'retry_on_failure' ? 'on' : field.label.toLowerCase();
  if (field.widget === 'env') return plural(Object.keys(value).length, 'variable');
  return `${field.label.toLowerCase()} ${value}${field.unit ? ` ${field.unit}` : ''}`;
}

function retryPreview(current) {
  const waits = retryWaits(current);
  const shown = waits.slice(0, 6).map((each) => Math.round(each * 10) / 10).join(', ');
  const more = waits.length > 6 ? ' …' : '';
  const jitter = current.retry_strategy.endsWith('jitter') ? ' and up to twice that' : '';
  const end = `gives up after ${plural(current.retry_max_attempts, 'attempt')} or ${current.retry_max_time} s`;
  return `Waits ${shown || 'nothing'}${more} s${jitter}; ${end}.`;
}

function PathField({ field, value, fault, onChange }) {
  const paths = rowIds.value.map((id) => rowRun(id)?.value.request?.script_path ?? '');
  const recent = [...new Set(paths)].filter((each) => each && !each.startsWith('upload:'));
  return html`<${FieldFrame} field=${field} fault=${fault}>
    <input type="text" class="mono" ...${common(field, fault)} value=${value ?? ''} placeholder=${field.placeholder} list="recent-scripts"
      spellcheck=${false} autocomplete="off" autocapitalize="off" required onInput=${(event) => onChange(event.target.value || null)} />
    <datalist id="recent-scripts">${recent.map((path) => html`<option key=${path} value=${path} />`)}</datalist><//>`;
}

function UploadField({ fault }) {
  const chosen = file.value;
  const help = lostFile.value && !chosen ? `Choose ${lostFile.value} again: a browser forgets files on reload.`
    : 'A .py or .pyw file of up to 10 MiB; or drop it on this card.';
  const field = { name: 'file', label: 'Script file', widget: 'file', help };
  return html`<${FieldFrame} field=${field} fault=${fault}>
    <label class="file-pick"><${Icon} name="file-up" /><span>${chosen ? chosen.name : 'Choose a Python file…'}</span>
      <input type="file" ...${common(field, fault)} accept=".py,.pyw" data-testid="launch-upload"
        onChange=${(event) => { file.value = event.target.files[0] ?? null; }} /></label><//>`;
}

/** A file dropped on the form is an upload. */
function dropTarget() {
  return {
    onDragOver: (event) => event.preventDefault(),
    onDrop: (event) => {
      event.preventDefault();
      const [dropped] = event.dataTransfer?.files ?? [];
      if (!dropped) return;
      file.value = dropped;
      setMode('upload');
    },
  };
}

/** Above the form: what the server said, with links to the fields. */
function FaultSummary({ error, faults, fields }) {
  const label = (name) => fields.find((field) => field.name === name)?.label ?? (name === 'file' ? 'Script file' : '');
  const goTo = (name) => (event) => {
    event.preventDefault();
    document.querySelector(`#field-${name}`)?.focus();
  };
  const item = ([name, text]) => html`<li key=${name}>
    ${label(name) && html`<a href=${`#field-${name}`} onClick=${goTo(name)}>${label(name)}</a>: `}${text}</li>`;
  return html`<div class="error-box tone-bad" role="alert" data-testid="error-box"><${Icon} name="circle-x" />
    <div><strong>Nothing was started</strong>
      <ul>${[...faults].map(item)}</ul>
      ${error.requestId && html`<p class="muted">Request <code>${error.requestId}</code></p>`}</div></div>`;
}

/** What the browser itself finds wrong, by field. */
function localFaults(element) {
  const found = new Map();
  for (const input of element.elements) {
    if (input.name && input.willValidate && !input.validity.valid) {
      found.set(input.name, input.name === 'script_path' ? 'Name the script to run' : input.validationMessage);
    }
  }
  return found;
}

function start(fields, key) {
  const request = toRequest(fields, values.peek());
  const headers = { 'Idempotency-Key': key };
  if (mode.peek() === 'path') return postJson('/api/run', { json: request, headers });
  const { script_path: _, ...options } = request;
  return postJson('/api/run/upload', { form: toFormData(options, file.peek()), headers });
}

function announce({ run_id: id, warnings = [] }) {
  showToast('Queued', { link: { href: href(`/runs/${id}/log`), text: 'Open its log' } });
  for (const warning of warnings) showToast(warning, { tone: 'warn' });
  showStarted(id);
}
