/** A look at one script: source, runs, versions, duplicates; and what people say about it. */
import { getJson } from '../../lib/api.js';
import { href } from '../../lib/boot.js';
import { bytes, plural } from '../../lib/format.js';
import { path, query } from '../../lib/router.js';
import { useResource } from '../../lib/resource.js';
import { html, useEffect, useRef } from '../../lib/ui.js';
import { Ago, Button, Card, IconButton } from '../../ui/basics.js';
import { Lifecycle } from '../../ui/lifecycle.js';
import { RunScriptButton } from '../../ui/run-script.js';
import { Loaded } from '../../ui/states.js';
import { Tabs } from '../../ui/tabs.js';
import { MetaForm } from './meta-form.js';
import { DuplicatesPart, RunsPart, SourcePart, VersionsPart } from './script-parts.js';

const PARTS = { source: ['Source', SourcePart], runs: ['Runs', RunsPart], versions: ['Versions', VersionsPart], duplicates: ['Duplicates', DuplicatesPart] };

/** The script of an id, kept true. */
export const useScript = (id) => useResource((options) => getJson(`/api/library/scripts/${id}`, options), [id]);

/** Below the list of the library. */
export function ScriptPreview({ id, onChange, onClose }) {
  const found = useScript(id);
  const place = useRef(null);
  const isThere = found.data !== null;
  useEffect(() => {
    if (isThere) place.current.scrollIntoView({ block: 'nearest' });
  }, [isThere]);
  return html`<div ref=${place}><${Card} class="preview-card" data-testid="lib-preview" data-script-id=${id}>
    <${Loaded} resource=${found} lines=${8} title="The script could not be loaded">${(script) => html`
      <header class="preview-head"><div class="grow"><h2>${script.name}</h2><${About} script=${script} /></div>
        <${RunScriptButton} script=${script} /><${Button} compact=${true} icon="external-link" label="Open page" href=${href(`/library/${id}`)} />
        <${IconButton} icon="x" label="Close the preview" onClick=${onClose} /></header>
      <${ScriptBody} script=${script} onChange=${(next) => {
    found.put(next);
    onChange();
  }} />`}<//><//></div>`;
}

/** Path, size, language and age in one line. */
export function About({ script }) {
  return html`<p class="meta"><span class="mono break">${script.path}</span><span>${script.language}</span><span>${plural(script.line_count,
    'line')}, ${bytes(script.size)}</span>
    <span>changed <${Ago} at=${script.mtime} /></span>${script.missing_flag && html`<span><${Lifecycle} missing=${true} /></span>`}</p>`;
}

/** The tabs with what they show, beside the form. */
export function ScriptBody({ script, onChange }) {
  const asked = query.value.get('part');
  const current = asked in PARTS ? asked : 'source';
  const [, Part] = PARTS[current];
  const address = (key) => {
    const next = new URLSearchParams(query.value);
    if (key === 'source') next.delete('part');
    else next.set('part', key);
    return href(`${path.value}${next.size ? `?${next}` : ''}`);
  };
  return html`<div class="script-body">
    <div class="stack grow">
      <${Tabs} label="Parts of this script" current=${current} tabs=${Object.entries(PARTS).map(([key, [label]]) => ({ key, label, href: address(key) }))} />
      <${Part} key=${`${current} ${script.sha256}`} script=${script} />
    </div>
    <${MetaForm} key=${script.id} script=${script} onChange=${onChange} />
  </div>`;
}
