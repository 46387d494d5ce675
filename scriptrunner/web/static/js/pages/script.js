/** One script of the library. */
import { href } from '../lib/boot.js';
import { loadTags } from '../lib/library.js';
import { html, useEffect } from '../lib/ui.js';
import { Button, Card, Heading, Skeleton } from '../ui/basics.js';
import { RunScriptButton, whyNot } from '../ui/run-script.js';
import { Loaded } from '../ui/states.js';
import { showError } from '../ui/toast.js';
import { About, ScriptBody, useScript } from './library/preview.js';

export const title = () => 'Script';

export default function Script({ id, setTitle }) {
  const found = useScript(Number(id));
  const script = found.data;
  useEffect(() => {
    loadTags().catch(showError);
  }, []);
  useEffect(() => {
    if (script) setTitle(script.name);
  }, [script?.name]);
  if (found.error?.status === 404) return html`<${Gone} />`;
  if (!script && !found.error) return html`<${Card}><${Skeleton} lines=${8} /><//>`;
  return html`<${Loaded} resource=${found} title="The script could not be loaded">${() => html`
    <header class="run-head">
      <nav class="crumbs" aria-label="Where this is"><a href=${href('/library')}>Script Library</a><span aria-hidden="true">/</span><span>${script.name}</span></nav>
      <div class="run-title"><${Heading}>${script.name}<//><span class="push"></span><div class="run-buttons">
        <${RunScriptButton} script=${script} compact=${false} />
        <${Button} icon="settings" label="Run with options" refusal=${whyNot(script)} href=${whyNot(script) ? undefined
          : href(`/launch?script=${encodeURIComponent(script.path)}`)} />
        <${Button} icon="chart-line" label="Trend" href=${href(`/analytics?script=${encodeURIComponent(script.path)}`)} />
      </div></div>
      <${About} script=${script} />
    </header>
    <${Card} class="script-card"><${ScriptBody} script=${script} onChange=${found.put} /><//>`}<//>`;
}

function Gone() {
  return html`<section class="empty page-empty"><${Heading}>Script not found<//><p>Its root was removed, or the address is not complete.</p>
    <${Button} href=${href('/library')} label="To the library" kind="primary" /></section>`;
}
