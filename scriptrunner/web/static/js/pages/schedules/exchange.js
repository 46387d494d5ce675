/** Tasks as a file: all of them out, some of them in, and the lines of a crontab. */
import { request } from '../../lib/api.js';
import { href } from '../../lib/boot.js';
import { plural } from '../../lib/format.js';
import { html, useState } from '../../lib/ui.js';
import { Button, ErrorBox, Segments } from '../../ui/basics.js';
import { closeDialog, openDialog } from '../../ui/dialog.js';
import { showToast } from '../../ui/toast.js';

/** Download all tasks as YAML. */
export function exportTasks() {
  const link = document.createElement('a');
  Object.assign(link, { href: href('/api/scheduler/export'), download: 'tasks.yaml' });
  link.click();
}

export function askForImport(onDone) {
  openDialog({ title: 'Import tasks', wide: true, body: html`<${ImportForm} onDone=${onDone} />` });
}

const KINDS = [['yaml', 'Tasks as YAML'], ['crontab', 'A crontab']];

function ImportForm({ onDone }) {
  const [kind, setKind] = useState('yaml');
  const [text, setText] = useState('');
  const [replace, setReplace] = useState(false);
  const [timezone, setTimezone] = useState(Intl.DateTimeFormat().resolvedOptions().timeZone);
  const [result, setResult] = useState(null);
  const [error, setError] = useState(null);
  const [busy, setBusy] = useState(false);
  const send = async (dryRun) => {
    setBusy(true);
    setError(null);
    try {
      const answer = await (await request('POST', kind === 'yaml' ? '/api/scheduler/import' : '/api/scheduler/import/crontab', { json: { text,
        replace, dry_run: dryRun, ...(kind === 'crontab' && { timezone }) } })).json();
      setResult(answer);
      if (!dryRun) {
        showToast(`${plural(answer.created.length, 'task')} added, ${answer.updated.length} changed`);
        onDone();
        closeDialog();
      }
    } catch (fault) {
      setError(fault);
      setResult(null);
    }
    setBusy(false);
  };
  const readFile = async (event) => {
    const [file] = event.target.files;
    if (file) setText(await file.text());
  };
  return html`<div class="stack" data-testid="import-form">
    <div><${Segments} label="What to import" name="import-kind" value=${kind} choices=${KINDS} onChange=${setKind} /></div>
    ${error && html`<${ErrorBox} error=${error} title="Nothing was imported" />`}
    <div class="field"><label for="import-text">${kind === 'yaml' ? 'YAML, as the export has it' : 'Lines of a crontab'}</label>
      <textarea id="import-text" class="mono" rows="10" value=${text} spellcheck=${false} placeholder=${kind === 'yaml'
        ? 'tasks:\n  - task_id: nightly\n    script_path: jobs/etl.py\n    cron_expr: 0 2 * * *' : '0 2 * * * /usr/bin/python3 /srv/scripts/etl.py --full'}
        onInput=${(event) => setText(event.target.value)} data-testid="import-text"></textarea></div>
    <div class="form-grid">
      <div class="field"><label class="switch"><input type="checkbox" role="switch" checked=${replace}
        onChange=${(event) => setReplace(event.target.checked)} /><span>Replace tasks of the same name</span></label>
        <p class="help">Off: those that are there stay as they are.</p></div>
      ${kind === 'crontab' && html`<div class="field"><label for="import-zone">Time zone</label><input id="import-zone" type="text" value=${timezone}
        onInput=${(event) => setTimezone(event.target.value)} />
        <p class="help">In which its hours are meant.</p></div>`}</div>
    <label class="file-pick"><input type="file" accept=".yaml,.yml,.txt,text/*" onChange=${readFile} /><span>or choose a file</span></label>
    ${result && html`<${Outcome} result=${result} />`}
    <div class="line-up"><${Button} label="Look first" busy=${busy} refusal=${text.trim() ? '' : 'Paste or choose something'}
      onClick=${() => send(true)} data-testid="import-look" />
      <${Button} kind="primary" label=${busy ? 'Working…' : 'Import'} busy=${busy} refusal=${text.trim() ? '' : 'Paste or choose something'}
        onClick=${() => send(false)} data-testid="import-submit" /></div></div>`;
}

function Outcome({ result }) {
  const skipped = result.skipped.map(({ line, task_id: id, reason }) => `${id ?? `line ${line}`}: ${reason}`);
  const rows = [['Would be added', result.created], ['Would be changed', result.updated], ['Left out', skipped], ['Beware',
    result.warnings]].filter(([, list]) => list.length);
  return html`<div role="status" data-testid="import-outcome">${rows.length ? rows.map(([words, list]) => html`<p
    key=${words}><strong>${words} (${list.length}):</strong> ${list.join(', ')}</p>`) : html`<p>Nothing to import in it.</p>`}</div>`;
}
