/** The Run button of a script of the library: starts it and goes to the Runner, where its run stands on top. */
import { href } from '../lib/boot.js';
import { RETIRED, runScript } from '../lib/library.js';
import { showInRunner } from '../lib/runs-list.js';
import { html, useState } from '../lib/ui.js';
import { Button } from './basics.js';
import { lacking } from './states.js';
import { showError, showToast } from './toast.js';

/** @param {{script: any, compact?: boolean, kind?: string}} props */
export function RunScriptButton({ script, compact = true, kind = 'primary' }) {
  const [busy, setBusy] = useState(false);
  const run = async (event) => {
    event.stopPropagation();
    if (!await isSure(script)) return;
    setBusy(true);
    try {
      const { run_id: id, warnings = [] } = await runScript(script.id);
      showToast(`${script.name} is queued`, { link: { href: href(`/runs/${id}/log`), text: 'Open its log' } });
      for (const warning of warnings) showToast(warning, { tone: 'warn' });
      showInRunner(id);
    } catch (error) {
      showError(error);
      setBusy(false);
    }
  };
  return html`<${Button} icon="play" label=${busy ? 'Starting…' : 'Run'} kind=${kind} compact=${compact} busy=${busy} refusal=${whyNot(script)}
    title=${`Run ${script.name}`} onClick=${run} data-testid="lib-run" />`;
}

/** Why a script cannot be run, or ''. */
export function whyNot(script) {
  if (script.missing_flag) return 'This file is gone';
  if (!/\.pyw?$/.test(script.name)) return 'Only Python files can be run';
  return lacking('run.start');
}

/** A script that people gave up is run only on purpose. */
async function isSure(script) {
  if (!RETIRED.includes(script.lifecycle_status)) return true;
  const { confirm } = await import('./dialog.js');
  return confirm({
    title: `Run ${script.name}, which is ${script.lifecycle_status}?`, confirm: 'Run it', danger: false,
    body: `Its status says that it should not be used any more${script.owner ? `; ${script.owner} owns it` : ''}.`,
  });
}
