/** The last runs of the same script as a strip: height is duration, colour and word are the status. */
import { getJson } from '../../lib/api.js';
import { href } from '../../lib/boot.js';
import { absolute, duration, parseTime } from '../../lib/format.js';
import { useHotkeys } from '../../lib/hotkeys.js';
import { useResource } from '../../lib/resource.js';
import { navigate } from '../../lib/router.js';
import { describe } from '../../lib/run-status.js';
import { html, useEffect, useRef } from '../../lib/ui.js';
import { IconButton } from '../../ui/basics.js';

const SHOWN = 40;
/** Height of the strip in CSS px. */
const TALL = 26;

/** @param {{run: any, tab: string}} props */
export function RunStrip({ run, tab }) {
  const path = run.script?.path;
  const found = useResource(async (options) => (path ? (await getJson('/api/runs', { query: { script_path: path, limit: SHOWN }, ...options })).reverse() : []), [path]);
  useEffect(() => {
    if (found.data) found.reload();
  }, [run.id, run.status]);
  const runs = found.data ?? [];
  const at = runs.findIndex(({ id }) => id === run.id);
  const latest = useRef({});
  latest.current = { before: runs[at - 1], after: at >= 0 ? runs[at + 1] : undefined };
  const go = (which) => () => latest.current[which] && navigate(`/runs/${latest.current[which].id}/${tab}`);
  useHotkeys([
    { keys: '[', label: 'Previous run of this script', group: 'Run', run: go('before') },
    { keys: ']', label: 'Next run of this script', group: 'Run', run: go('after') },
  ]);
  if (runs.length < 2) return null;
  const longest = Math.max(...runs.map((each) => each.duration_seconds ?? 0)) || 1;
  return html`<nav class="run-strip" aria-label="Last runs of this script" data-testid="run-strip">
    <${IconButton} icon="chevron-left" label="Previous run of this script" refusal=${latest.current.before ? '' : 'this is the oldest of these'} onClick=${go('before')} />
    <div class="run-strip-bars">${runs.map((each) => html`<${Bar} key=${each.id} run=${each} longest=${longest} current=${each.id === run.id} tab=${tab} />`)}</div>
    <${IconButton} icon="chevron-right" label="Next run of this script" refusal=${latest.current.after ? '' : 'this is the newest'} onClick=${go('after')} />
    <a class="muted nowrap" href=${href(`/runs?script=${encodeURIComponent(run.request.script_path)}`)}>all runs</a></nav>`;
}

function Bar({ run, longest, current, tab }) {
  const { tone, phrase } = describe(run);
  const tall = Math.max(5, Math.round((TALL * (run.duration_seconds ?? 0)) / longest));
  const words = `${phrase}, ${run.duration_seconds === null ? 'not over' : duration(run.duration_seconds)}, ${absolute(parseTime(run.started_at))}`;
  return html`<a class=${`run-bar tone-${tone} is-${run.status}`} href=${href(`/runs/${run.id}/${tab}`)} title=${words} aria-label=${words}
    aria-current=${current ? 'page' : undefined}><span style=${{ height: `${tall}px` }}></span></a>`;
}
