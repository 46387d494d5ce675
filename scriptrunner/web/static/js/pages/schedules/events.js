/** Firing an event by hand; beforehand it says what that starts. */
import { idempotencyKey, postJson } from '../../lib/api.js';
import { href } from '../../lib/boot.js';
import { plural } from '../../lib/format.js';
import { html, useState } from '../../lib/ui.js';
import { Button, ErrorBox } from '../../ui/basics.js';
import { closeDialog, openDialog } from '../../ui/dialog.js';
import { taskHref } from '../../lib/tasks.js';

/** Ask which event, and fire it. */
export function askForEvent(tasks, name, onFired) {
  openDialog({ title: 'Fire an event', body: html`<${EventForm} tasks=${tasks} name=${name} onFired=${onFired} />` });
}

function EventForm({ tasks, name: first, onFired }) {
  const [name, setName] = useState(first);
  const [payload, setPayload] = useState('');
  const [answer, setAnswer] = useState(null);
  const [error, setError] = useState(null);
  const [busy, setBusy] = useState(false);
  const known = [...new Set(tasks.flatMap(({ events }) => events))].sort();
  const listeners = tasks.filter(({ events }) => events.includes(name.trim()));
  const submit = async (event) => {
    event.preventDefault();
    if (busy) return;
    setBusy(true);
    setError(null);
    try {
      const options = payload.trim() ? { json: { payload: readPayload(payload) } } : {};
      setAnswer(await postJson(`/api/scheduler/events/${encodeURIComponent(name.trim())}`, { ...options, headers: { 'Idempotency-Key': idempotencyKey() } }));
      onFired();
    } catch (fault) {
      setError(fault);
    }
    setBusy(false);
  };
  if (answer) return html`<${Outcome} answer=${answer} />`;
  return html`<form class="stack" onSubmit=${submit} data-testid="event-form">
    ${error && html`<${ErrorBox} error=${error} title="Nothing was fired" />`}
    <div class="field"><label for="event-name">Event</label><input id="event-name" type="text" required value=${name} list="event-names"
      autocomplete="off" spellcheck=${false} data-first-focus
      onInput=${(event) => setName(event.target.value)} data-testid="event-name" /><datalist id="event-names">${known.map((each) => html`<option
        key=${each} value=${each}></option>`)}</datalist></div>
    <div class="field"><label for="event-payload">Payload</label><textarea id="event-payload" class="mono" rows="3" value=${payload}
      placeholder="nothing" spellcheck=${false} onInput=${(event) => setPayload(event.target.value)}></textarea>
      <p class="help">JSON or plain text; the scripts find it in their environment.</p></div>
    <p role="status" data-testid="event-starts">${name.trim() && (listeners.length
    ? html`This starts ${plural(listeners.filter(({ enabled }) => enabled).length, 'task')}: ${listeners.map(({ task_id: id,
      enabled }) => `${id}${enabled ? '' : ' (paused, does not start)'}`).join(', ')}.`
    : 'No task listens to this event: nothing would start.')}</p>
    <div><${Button} type="submit" kind="primary" icon="zap" label=${busy ? 'Firing…' : 'Fire'} busy=${busy} data-testid="event-submit" /></div></form>`;
}

function readPayload(text) {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function Outcome({ answer }) {
  const skipped = answer.skipped.map(({ task_id: id, reason }) => `${id} (${reason})`);
  return html`<div class="stack" data-testid="event-outcome" role="status">
    ${answer.runs.length ? html`<p>${plural(answer.runs.length, 'run')} queued:</p><ul>${answer.runs.map(({ task_id: task, run_id: run }) => html`<li
      key=${run}><a href=${href(taskHref(task))} onClick=${closeDialog}>${task}</a>: <a class="mono" href=${href(`/runs/${run}/log`)}
        onClick=${closeDialog}>${run.slice(0, 8)}</a></li>`)}</ul>`
    : html`<p>No run was started.</p>`}
    ${answer.waiting.length > 0 && html`<p>Waiting for others first: ${answer.waiting.join(', ')}.</p>`}
    ${skipped.length > 0 && html`<p>Not started: ${skipped.join(', ')}.</p>`}
    <div><${Button} label="Done" data-first-focus onClick=${closeDialog} /></div></div>`;
}
