/** The launch form: a script of the server or an upload, with every option of the API. */
import { can, idempotencyKey } from '../../lib/api.js';
import { file, missing, mode, openGroups, origin, setMode, setValue, values } from '../../lib/launch-state.js';
import { faultsByField, isShown } from '../../lib/schema.js';
import { classes, html, useEffect, useRef, useState } from '../../lib/ui.js';
import { Button } from '../basics.js';
import { SchemaField } from '../fields.js';
import { ScriptField } from '../script-field.js';
import { LaunchTools } from './tools.js';
import { Group, GroupSwitch, isEdited } from './groups.js';
import { FaultSummary, OriginNote } from './notes.js';
import { announce, start } from './start.js';
import { UploadField } from './upload-field.js';

/**
 * @param {{groups: any[], fields: import('../../lib/schema.js').Field[], page?: boolean, onStarted: (id: string, how?: string) => void}} props
 *   `page` shows every group from the first
 */
export function LaunchForm({ groups, fields, page, onStarted }) {
  const element = useRef(null);
  const key = useRef('');
  const [busy, setBusy] = useState('');
  const [faults, setFaults] = useState(/** @type {Map<string, string>} */ (new Map()));
  const [failure, setFailure] = useState(null);
  const current = values.value;
  useEffect(() => {
    const timer = setTimeout(() => lookUpMetrics(mode.peek() === 'path' ? current.script_path ?? '' : ''), 400);
    return () => clearTimeout(timer);
  }, [current.script_path]);

  const submit = async (how = 'start') => {
    if (busy) return;
    const local = localFaults(element.current);
    if (mode.peek() === 'upload' && !file.peek()) local.set('file', 'Choose a Python file');
    for (const path of missing.peek()) local.set(path.split('.')[0], 'Type what is hidden again, or remove it');
    if (local.size) {
      reject(local, null);
      return;
    }
    setBusy(how);
    // The same key until there is an answer: a repeated click after a broken connection starts nothing twice.
    key.current ||= idempotencyKey();
    try {
      const answer = await start(fields, { key: key.current, dry: how === 'dry' });
      key.current = '';
      setFaults(new Map());
      setFailure(null);
      if (how === 'dry') {
        const { showPlan } = await import('./plan.js');
        showPlan(answer.run_id, () => submit('start'));
      } else announce(answer);
      onStarted(answer.run_id, how);
    } catch (refused) {
      const error = /** @type {import('../../lib/api.js').ApiError} */ (refused);
      if (error.status) key.current = '';
      reject(faultsByField(error, fields), error);
    }
    setBusy('');
  };

  const reject = (found, error) => {
    setFaults(found);
    setFailure(error);
    const hidden = fields.filter((field) => field.advanced && found.has(field.name)).map(({ group }) => group);
    openGroups.value = [...new Set([...openGroups.peek(), ...hidden])];
    setTimeout(() => element.current?.querySelector('[aria-invalid=true], .has-fault input, .has-fault button')?.focus());
  };

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
    key: field.name, field: isEdited(field, current) ? { ...field, edited: true } : field, value: current[field.name],
    fault: faults.get(field.name), onChange: change(field.name),
  });
  const widget = (field) => html`<${SchemaField} ...${props(field)} />`;
  const plain = fields.filter((field) => !field.advanced && field.widget !== 'script');
  const scriptField = fields.find((field) => field.widget === 'script');
  const permission = mode.value === 'upload' ? 'run.upload' : 'run.start';
  const refusal = can(permission) ? '' : `Your role lacks the permission ${permission}`;
  const shown = (group) => (page || openGroups.value.includes(group.key)) && group.fields.length > 0;
  const mine = groups.map((group) => ({ ...group, fields: fields.filter((field) => field.group === group.key && field.advanced) }));

  return html`<form ref=${element} class=${classes('launch-form', page && 'is-page')} data-testid="launch-form" novalidate onKeyDown=${onKeyDown}
    onSubmit=${(event) => { event.preventDefault(); submit(); }} ...${dropTarget()}>
    ${failure && html`<${FaultSummary} error=${failure} faults=${faults} fields=${fields} />`}
    ${origin.value && html`<${OriginNote} fields=${fields} />`}
    <div class="launch-main">
      ${mode.value === 'path' ? html`<${ScriptField} ...${props(scriptField)} />` : html`<${UploadField} fault=${faults.get('file')} />`}
      ${plain.map(widget)}
      ${!page && html`<div class="launch-go"><${StartButton} busy=${busy} refusal=${refusal} /></div>`}
    </div>
    ${!page && html`<div class="launch-groups">
      ${mine.map((group) => html`<${GroupSwitch} key=${group.key} group=${group} current=${current} />`)}
      <span class="push"></span>
      <${LaunchTools} fields=${fields} busy=${busy} refusal=${refusal} onDry=${() => submit('dry')} />
    </div>`}
    ${page && html`<div class="launch-foot"><${StartButton} busy=${busy} refusal=${refusal} />
      <${LaunchTools} fields=${fields} busy=${busy} refusal=${refusal} onDry=${() => submit('dry')} /></div>`}
    ${mine.filter(shown).map((group) => html`<${Group} key=${group.key} group=${group} current=${current} fields=${group.fields}>
      ${group.fields.filter((field) => isShown(field, current)).map(widget)}<//>`)}
  </form>`;
}

/** What the last run of this script measured; only a help. */
async function lookUpMetrics(path) {
  if (!path) return;
  try {
    await (await import('../../lib/last-metrics.js')).loadLastMetrics(path);
  } catch { /* the server is gone: that is said elsewhere */ }
}

function StartButton({ busy, refusal }) {
  return html`<${Button} kind="primary" type="submit" icon="play" label=${busy === 'start' ? 'Starting…' : 'Start'} busy=${busy}
    refusal=${refusal} title="Start this run (Ctrl Enter)" data-testid="launch-submit" />`;
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
