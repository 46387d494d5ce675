/** Muting: the same for everybody, kept by the server, for a time or until somebody unmutes. */
import { postJson, request } from '../../lib/api.js';
import { absolute, plural, scriptFolder, scriptName } from '../../lib/format.js';
import { useTopic } from '../../lib/topic.js';
import { useResource } from '../../lib/resource.js';
import { html, useState } from '../../lib/ui.js';
import { Ago, Button, Card, Empty, Segments } from '../../ui/basics.js';
import { DataTable } from '../../ui/data-table.js';
import { closeDialog, openDialog } from '../../ui/dialog.js';
import { ScriptField } from '../../ui/script-field.js';
import { lacking, Loaded } from '../../ui/states.js';
import { showError, showToast } from '../../ui/toast.js';

/** @typedef {{id: number, script_path: string, rule: string|null, condition: string|null, muted_at: string, muted_by: string,
 *   until: string|null, note: string|null}} Mute */

/** Seconds, as text. */
const TIMES = [['3600', '1 hour'], ['28800', '8 hours'], ['86400', '1 day'], ['', 'until unmuted']];
const LIMIT = 200;
/** Rules that were given no name are told apart by their condition only. */
const NO_NAME = 'api_alert';

/** What is muted now, and how many that is in all. */
export function useMutes() {
  const found = useResource(async ({ signal }) => {
    const answer = await request('GET', '/api/alerts/mutes', { query: { limit: LIMIT }, signal });
    return { mutes: await answer.json(), total: Number(answer.headers.get('X-Total-Count')) };
  }, []);
  useTopic('alerts', found.reload);
  return found;
}

async function mute(wanted, seconds) {
  const made = await postJson('/api/alerts/mutes', { json: { ...wanted, duration_seconds: seconds ? Number(seconds) : null } });
  showToast(`${scriptName(made.script_path)} is muted ${made.until ? `until ${absolute(Date.parse(made.until))}` : 'until somebody unmutes it'}`);
}

/** Ask what of an alert is to be muted, and for how long. */
export function openMute(alert, onDone) {
  openDialog({ title: 'Mute', body: html`<${MuteForm} alert=${alert} onDone=${onDone} />` });
}

function MuteForm({ alert: { name, condition, script_path: path }, onDone }) {
  const [what, setWhat] = useState('rule');
  const [time, setTime] = useState(TIMES[0][0]);
  const [note, setNote] = useState('');
  const [busy, setBusy] = useState(false);
  const submit = async (submitted) => {
    submitted.preventDefault();
    if (busy) return;
    setBusy(true);
    try {
      const rule = what === 'rule' ? { rule: name, ...(name === NO_NAME && { condition }) } : {};
      await mute({ script_path: path, ...rule, note: note.trim() || null }, time);
      closeDialog();
      onDone();
    } catch (error) {
      setBusy(false);
      showError(error);
    }
  };
  return html`<form class="stack" onSubmit=${submit}>
    <p>Nobody is told of it then, by whatever channel. It is judged and recorded all the same.</p>
    <fieldset class="field"><legend>What of ${scriptName(path)}</legend><${Segments} label="What" name="mute-what" value=${what} onChange=${setWhat}
      choices=${[['rule', name === NO_NAME ? 'this condition' : `the rule ${name}`], ['script', 'every rule']]} />
      ${what === 'rule' && html`<p class="help mono break">${condition}</p>`}</fieldset>
    <fieldset class="field"><legend>For how long</legend><${Segments} label="For how long" name="mute-time" value=${time} onChange=${setTime}
      choices=${TIMES} /></fieldset>
    <${NoteField} value=${note} onChange=${setNote} />
    <div><${Button} type="submit" kind="primary" icon="bell-off" label=${busy ? 'Muting…' : 'Mute'} busy=${busy} data-testid="mute-submit" /></div>
  </form>`;
}

function NoteField({ value, onChange }) {
  return html`<div class="field"><label for="mute-note">Why</label><input id="mute-note" type="text" maxlength="500" value=${value} autocomplete="off"
    placeholder="the new disk comes at noon" onInput=${({ target }) => onChange(target.value)} data-testid="mute-note" />
    <p class="help">For the others; it may stay empty.</p></div>`;
}

/** The part of the page: what is muted, and muting what has not alerted lately. */
export function Muted({ found }) {
  return html`<${Card} title="Muted"><${Loaded} resource=${found} title="What is muted could not be loaded">${({ mutes, total }) => html`
      <${MuteTable} mutes=${mutes} onChange=${found.reload} />
      ${total > mutes.length && html`<p class="card-note muted">The ${mutes.length} that end first, of ${plural(total, 'mute')}.</p>`}`}<//><//>
    <${Card} title="Mute a script"><${MuteScript} onDone=${found.reload} /><//>`;
}

function MuteTable({ mutes, onChange }) {
  if (!mutes.length) {
    return html`<${Empty} icon="bell" title="Nothing is muted"><p>Mute a rule at one of its alerts, or a script below, and it stands here for everybody.</p><//>`;
  }
  const columns = [
    { key: 'script', title: 'Script', head: true, render: ({ script_path: path }) => html`<span class="script-cell" title=${path}><span>${scriptName(path)}</span>
      <span class="script-args mono break">${scriptFolder(path)}</span></span>` },
    { key: 'rule', title: 'What', render: ({ rule, condition }) => html`<span>${rule && rule !== NO_NAME ? `rule ${rule}` : condition ? 'condition' : 'every rule'}${condition
      && html`<br /><span class="mono small break">${condition}</span>`}</span>` },
    { key: 'until', title: 'Ends', class: 'nowrap', render: ({ until }) => (until ? html`<${Ago} at=${until} />` : 'when unmuted') },
    { key: 'muted_by', title: 'By', render: ({ muted_by: who, muted_at: at }) => html`<span><span class="mono">${who}</span>, <small
      class="muted"><${Ago} at=${at} /></small></span>` },
    { key: 'note', title: 'Why', class: 'break' },
    { key: 'actions', title: '', class: 'actions', render: (each) => html`<${Button} compact=${true} icon="bell" label="Unmute" refusal=${lacking('alert.write')}
      title=${`Have alerts of ${scriptName(each.script_path)} delivered again`} onClick=${() => unmute(each, onChange)} data-testid="unmute" />` },
  ];
  return html`<${DataTable} label="Muted" columns=${columns} rows=${mutes} rowKey=${({ id }) => id} testid="mute-table"
    rowProps=${({ id }) => ({ 'data-testid': 'mute-row', 'data-mute-id': id })} />`;
}

async function unmute({ id, script_path: path }, onChange) {
  try {
    await request('DELETE', `/api/alerts/mutes/${id}`);
    showToast(`Alerts of ${scriptName(path)} are delivered again`);
  } catch (error) {
    showError(error);
  }
  onChange();
}

const SCRIPT = { name: 'mute-script', label: 'Script', widget: 'script', placeholder: 'nightly.py', help: 'However its runs spell the path.' };

function MuteScript({ onDone }) {
  const [path, setPath] = useState(/** @type {string|null} */ (null));
  const [rule, setRule] = useState('');
  const [time, setTime] = useState(TIMES[0][0]);
  const [note, setNote] = useState('');
  const [busy, setBusy] = useState(false);
  const submit = async (submitted) => {
    submitted.preventDefault();
    if (busy || lacking('alert.write') || !path) return;
    setBusy(true);
    try {
      await mute({ script_path: path, rule: rule.trim() || null, note: note.trim() || null }, time);
      setPath(null);
      setRule('');
      setNote('');
      onDone();
    } catch (error) {
      showError(error);
    }
    setBusy(false);
  };
  return html`<form class="inline-form" onSubmit=${submit}>
    <${ScriptField} field=${SCRIPT} value=${path} onChange=${setPath} />
    <div class="field"><label for="mute-rule">Rule</label><input id="mute-rule" type="text" maxlength="100" value=${rule} autocomplete="off"
      placeholder="every rule" onInput=${({ target }) => setRule(target.value)} data-testid="mute-rule" /><p class="help">Its name; empty for all of them.</p></div>
    <div class="field"><label for="mute-time">For how long</label><select id="mute-time" onChange=${({ target }) => setTime(target.value)} data-testid="mute-time">
      ${TIMES.map(([each, words]) => html`<option key=${each} value=${each} selected=${each === time}>${words}</option>`)}</select>
      <p class="help">What alerts meanwhile is not sent later.</p></div>
    <${NoteField} value=${note} onChange=${setNote} />
    <${Button} type="submit" kind="primary" icon="bell-off" label=${busy ? 'Muting…' : 'Mute'} busy=${busy} refusal=${lacking('alert.write')} data-testid="mute-add" />
  </form>`;
}
