/** The exact source that ran, by its content hash, with what the scans found on its lines. */
import { getJson } from '../../lib/api.js';
import { href } from '../../lib/boot.js';
import { bytes, plural } from '../../lib/format.js';
import { useResource } from '../../lib/resource.js';
import { html, useMemo } from '../../lib/ui.js';
import { Button, Card, Empty } from '../../ui/basics.js';
import { CodeView } from '../../ui/code-view.js';
import { Loaded } from '../../ui/states.js';

const TONES = { CRITICAL: 'bad', HIGH: 'bad', MEDIUM: 'warn', LOW: 'quiet' };

export function SourceTab({ run }) {
  const source = useResource((options) => getJson(`/api/runs/${run.id}/script/tokens`, options), [run.id, run.script?.sha256]);
  const notes = useMemo(() => notesOf(run.result?.scans ?? {}), [run.result]);
  if (source.error?.status === 404) {
    return html`<${Card}><${Empty} icon="file-code" title="No source yet">${source.error.message}.<//><//>`;
  }
  return html`<${Card} title="Source at run time" data-testid="source" actions=${source.data && html`<${Facts} source=${source.data} run=${run} />`}>
    <${Loaded} resource=${source} lines=${10} title="The source could not be loaded">${(data) => html`
      ${!data.is_coloured && data.lines.length > 0 && html`<p class="card-note muted">Shown without colours${data.size > 1048576 ? ': it is large' : ''}.</p>`}
      <${CodeView} label="Source" lines=${data.lines} notes=${notes} testid="source-code" />`}<//><//>`;
}

function Facts({ source, run }) {
  return html`<span class="muted">${[source.language, plural(source.lines.length, 'line'), bytes(source.size)].filter(Boolean).join(' · ')}</span>
    <span class="mono muted desktop-only" title=${`sha256 ${source.sha256}`}>${source.sha256.slice(0, 12)}</span>
    <${Button} compact=${true} icon="download" label="Download" href=${href(`/api/runs/${run.id}/script?download=1`)} download=${true} />`;
}

/** Findings by line; the first of a line is shown, the others are counted. */
function notesOf(scans) {
  const notes = new Map();
  for (const { findings = [] } of Object.values(scans)) {
    for (const { line, severity, message } of findings) {
      if (!line) continue;
      const before = notes.get(line);
      notes.set(line, before ? { ...before, text: `${before.text}; ${message}` } : { tone: TONES[severity] ?? 'quiet', text: message });
    }
  }
  return notes;
}
