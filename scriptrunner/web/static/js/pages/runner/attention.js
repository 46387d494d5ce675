/** Needs attention: scripts that fail again and again, with their last words. */
import { getJson } from '../../lib/api.js';
import { href } from '../../lib/boot.js';
import { plural, scriptFolder, scriptName } from '../../lib/format.js';
import { watch } from '../../lib/live.js';
import { load, save } from '../../lib/prefs.js';
import { describe } from '../../lib/run-status.js';
import { html, signal, useEffect } from '../../lib/ui.js';
import { Ago, Button, Card, Icon } from '../../ui/basics.js';
import { act } from '../../ui/run-actions.js';
import { showStarted } from '../../lib/runs-list.js';

/** At most one look per this time, however many runs change. */
const GATHER_MS = 3000;
const MUTE_MS = 3_600_000;
const SHOWN = 2;

const troubles = signal(/** @type {any[]} */ ([]));
/** Until when a script is not mentioned, by its path. */
const muted = signal(load('muted', {}));
const all = signal(false);

async function look() {
  try {
    troubles.value = (await getJson('/api/stats/attention')).scripts;
  } catch { /* the runs below say what is wrong with the server */ }
}

function follow() {
  let timer = 0;
  const soon = () => {
    timer ||= setTimeout(() => {
      timer = 0;
      look();
    }, GATHER_MS);
  };
  look();
  const stop = watch('runs', { onEvent: soon, onResync: soon });
  return () => {
    clearTimeout(timer);
    stop();
  };
}

function mute(path) {
  const now = Date.now();
  const still = Object.entries(muted.peek()).filter(([, until]) => until > now);
  muted.value = { ...Object.fromEntries(still), [path]: now + MUTE_MS };
  save('muted', muted.value);
}

export function Attention() {
  useEffect(follow, []);
  const now = Date.now();
  const worth = troubles.value.filter(({ script_path: path, failures }) => failures > 1 && !(muted.value[path] > now));
  if (!worth.length) return null;
  const shown = all.value ? worth : worth.slice(0, SHOWN);
  const more = worth.length > SHOWN && html`<${Button} compact=${true} kind="quiet" label=${all.value ? 'Show fewer' : `Show all ${worth.length}`}
    onClick=${() => { all.value = !all.value; }} />`;
  return html`<${Card} title="Needs attention" class="attention" actions=${more} data-testid="attention">
    <ul>${shown.map((each) => html`<${Trouble} key=${each.script_path} trouble=${each} />`)}</ul><//>`;
}

function Trouble({ trouble }) {
  const { script_path: path, run_id: id, failures, never_succeeded: never, stderr_snippet: words, error, finished_at: at } = trouble;
  const run = { id, status: 'failed', request: { script_path: path }, reason: trouble.reason, error };
  const lines = words.trimEnd().split('\n').filter(Boolean).slice(-3);
  const what = `failed ${plural(failures, 'time')} in a row${never ? ', never succeeded' : ''}`;
  const restart = () => act('restart', run, (_, answer) => answer && showStarted(answer.run_id));
  return html`<li class="trouble" data-script=${path}>
    <${Icon} name="circle-x" />
    <div class="trouble-text"><p><a class="script-name" href=${href(`/runs/${id}/log`)} title=${path}>${scriptName(path)}</a>
        <span class="muted mono ellipsis">${scriptFolder(path)}</span></p>
      <p>${what} · ${error ?? describe(run).detail} · <${Ago} at=${at} /></p>
      ${lines.length > 0 && html`<pre class="mono" tabindex="0" role="region" aria-label=${`Last lines of ${scriptName(path)}`}>${lines.join('\n')}</pre>`}</div>
    <div class="row-actions"><${Button} compact=${true} icon="scroll-text" label="Log" href=${href(`/runs/${id}/log`)} />
      <${Button} compact=${true} icon="rotate-cw" label="Re-run" onClick=${restart} />
      <${Button} compact=${true} icon="bell-off" label="Mute 1 h" title="Do not show this script here for an hour" onClick=${() => mute(path)} /></div>
  </li>`;
}
