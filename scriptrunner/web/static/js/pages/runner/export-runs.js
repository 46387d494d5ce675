/** The export of the runs that the filter shows: how far it is, and what it left out. */
import { count, plural } from '../../lib/format.js';
import { collectRuns, MOST_EXPORTED } from '../../lib/runs-export.js';
import { filterQuery, isFiltered, total } from '../../lib/runs-list.js';
import { html, useEffect, useState } from '../../lib/ui.js';
import { Button, ErrorBox } from '../../ui/basics.js';
import { closeDialog, openDialog } from '../../ui/dialog.js';

/** Ask for the file; the dialog says what will be in it. */
export function askForExport() {
  openDialog({ title: 'Export runs as CSV', body: html`<${Export} />` });
}

function Export() {
  const [state, setState] = useState(/** @type {{step: 'ask'|'busy'|'done', done: number, all: number}} */ ({ step: 'ask', done: 0, all: 0 }));
  const [error, setError] = useState(/** @type {Error|null} */ (null));
  const [abort] = useState(() => new AbortController());
  useEffect(() => () => abort.abort(), []);
  const start = async () => {
    setError(null);
    setState({ ...state, step: 'busy', done: 0 });
    try {
      const { blob, done, all } = await collectRuns(filterQuery(), {
        signal: abort.signal, onProgress: (done, all) => setState({ step: 'busy', done, all }),
      });
      save(blob, 'runs.csv');
      setState({ step: 'done', done, all });
    } catch (fault) {
      if (abort.signal.aborted) return;
      setError(fault);
      setState({ ...state, step: 'ask' });
    }
  };
  const { step, done } = state;
  // Until the export begins the table knows how many match, perhaps not yet.
  const all = step === 'ask' ? total.value ?? 0 : state.all;
  return html`<div class="stack">
    ${error && html`<${ErrorBox} error=${error} title="The export broke off; nothing was saved" />`}
    ${step === 'ask' && html`<p>${isFiltered.peek() ? 'The runs that match the filter' : 'All runs'}, newest first, one line each: ${plural(Math.min(all, MOST_EXPORTED), 'run')}.
        What they printed is not in it.</p>
      ${all > MOST_EXPORTED && html`<p class="tone-warn" data-testid="export-cap">A file holds ${count(MOST_EXPORTED)} runs at most; the older
        ${' '}${count(all - MOST_EXPORTED)} are left out. Narrow the filter to get those.</p>`}
      <div><${Button} kind="primary" icon="download" label="Export" onClick=${start} data-first-focus data-testid="export-start" /></div>`}
    ${step === 'busy' && html`<label>Fetching the runs <progress max=${all || 1} value=${done}></progress></label>
      <p role="status">${count(done)} of ${count(all)}</p>
      <div><${Button} label="Cancel" onClick=${closeDialog} /></div>`}
    ${step === 'done' && html`<p role="status" data-testid="export-done">${plural(done, 'run')} saved to your downloads${all > done
      ? `; ${count(all - done)} older ones are not in the file` : ''}.</p>
      <div><${Button} label="Close" onClick=${closeDialog} data-first-focus /></div>`}
  </div>`;
}

function save(blob, name) {
  const link = document.createElement('a');
  Object.assign(link, { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
