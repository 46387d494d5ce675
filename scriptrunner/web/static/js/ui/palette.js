/** The command palette: pages, runs, scripts, tasks and actions, by a few letters. */
import { can, getJson } from '../lib/api.js';
import { duration, scriptName } from '../lib/format.js';
import { best } from '../lib/fuzzy.js';
import { theme, zone } from '../lib/prefs.js';
import { navigate } from '../lib/router.js';
import { describe } from '../lib/run-status.js';
import { classes, html, useEffect, useRef, useState } from '../lib/ui.js';
import { Icon } from './basics.js';
import { closeDialog, openDialog } from './dialog.js';

/** @typedef {{group: string, icon: string, title: string, note?: string, run: () => void}} Command */

const TYPING_MS = 140;

const page = (title, icon, to, words = '') => ({ group: 'Go to', icon, title, note: words, run: () => navigate(to) });
const PAGES = [
  page('Runner', 'terminal', '/', 'g r'), page('All runs', 'list', '/runs'), page('Script Library', 'book-open', '/library', 'g l'),
  page('Duplicates', 'copy', '/library/duplicates'), page('Schedules', 'calendar-clock', '/schedules', 'g s'), page('Analytics', 'chart-line', '/analytics', 'g a'),
  page('Try gates', 'gauge', '/analytics/gates'), page('Alerts', 'bell', '/alerts', 'g n'), page('System', 'server', '/system', 'g y'),
  page('Settings', 'settings', '/settings'), page('Access tokens', 'key-round', '/tokens'), page('Audit', 'shield-check', '/audit'),
];

const setting = (title, icon, run) => ({ group: 'Do', icon, title, run });
const actions = (onHelp) => [
  can('run.start') && setting('New run with all options', 'plus', () => navigate('/launch')),
  setting('Failed runs of the last 24 hours', 'circle-x', () => navigate('/runs?status=failed&since=24h')),
  setting('Running now', 'loader-circle', () => navigate('/runs?status=running')),
  setting('Light theme', 'sun', () => { theme.value = 'light'; }),
  setting('Dark theme', 'moon', () => { theme.value = 'dark'; }),
  setting('Theme of the system', 'monitor', () => { theme.value = 'system'; }),
  setting(zone.peek() === 'utc' ? 'Times in local time' : 'Times in UTC', 'clock', () => { zone.value = zone.peek() === 'utc' ? 'local' : 'utc'; }),
  setting('Keyboard shortcuts', 'keyboard', onHelp),
].filter(Boolean);

const runCommand = (run) => ({
  group: 'Runs', icon: describe(run).icon, title: `${scriptName(run.request.script_path)} ${run.id.slice(0, 8)}`,
  note: `${describe(run).phrase} · ${duration(run.duration_seconds)}`, run: () => navigate(`/runs/${run.id}`),
});
const scriptCommands = (script) => [
  { group: 'Scripts', icon: 'file-code', title: script.name, note: script.path, run: () => navigate(`/library/${script.id}`) },
  can('run.start') && script.language === 'Python' && {
    group: 'Run', icon: 'play', title: `Run ${script.name}…`, note: script.path, run: () => navigate(`/launch?script=${encodeURIComponent(script.path)}`),
  },
].filter(Boolean);
const taskCommand = (task) => ({
  group: 'Schedules', icon: 'calendar-clock', title: task.task_id, note: scriptName(task.script_path), run: () => navigate(`/schedules/${encodeURIComponent(task.task_id)}`),
});

/** What the server knows of the typed words; a part that fails is left out. */
async function lookUp(text, signal) {
  const ask = (path, query) => getJson(path, { query, signal }).catch(() => null);
  const [runs, scripts, tasks] = await Promise.all([
    ask('/api/runs', { q: text, limit: 6 }), text ? ask('/api/library/scripts', { search: text, page_size: 5 }) : null, text ? ask('/api/scheduler/tasks') : null,
  ]);
  return [
    ...(runs ?? []).map(runCommand), ...(scripts?.items ?? []).flatMap(scriptCommands),
    ...best(tasks?.tasks ?? [], text, ({ task_id: id }) => id, 4).map(taskCommand),
  ];
}

/** Open it. @param {{onHelp: () => void}} props */
export function openPalette({ onHelp }) {
  openDialog({ title: 'Search or run', bare: 'is-palette', body: html`<${Palette} onHelp=${onHelp} />` });
}

function Palette({ onHelp }) {
  const [text, setText] = useState('');
  const [found, setFound] = useState(/** @type {Command[]} */ ([]));
  const [at, setAt] = useState(0);
  const abort = useRef(new AbortController());
  const list = useRef(null);
  useEffect(() => {
    const timer = setTimeout(async () => {
      abort.current.abort();
      abort.current = new AbortController();
      const { signal } = abort.current;
      const next = await lookUp(text.trim(), signal);
      if (!signal.aborted) setFound(next);
    }, text ? TYPING_MS : 0);
    return () => clearTimeout(timer);
  }, [text]);
  useEffect(() => () => abort.current.abort(), []);
  const own = best([...actions(onHelp), ...PAGES], text.trim(), ({ group, title }) => `${group} ${title}`, text ? 6 : 20);
  const all = text ? [...own, ...found] : [...found.slice(0, 4), ...own];
  const chosen = Math.min(at, all.length - 1);
  useEffect(() => {
    list.current?.querySelector('.is-on')?.scrollIntoView({ block: 'nearest' });
  }, [chosen, all.length]);
  const pick = (command) => {
    closeDialog();
    command.run();
  };
  const onKeyDown = (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && all.length) {
      event.preventDefault();
      setAt((chosen + step + all.length) % all.length);
    } else if (event.key === 'Enter' && all[chosen]) {
      event.preventDefault();
      pick(all[chosen]);
    }
  };
  let group = '';
  return html`<div data-testid="palette">
    <div class="palette-input"><${Icon} name="search" /><input type="text" data-first-focus role="combobox" aria-expanded="true" aria-controls="palette-list"
      aria-label="Search or run" aria-activedescendant=${all.length ? `palette-${chosen}` : undefined} placeholder="A page, a script, a run, a task…" spellcheck=${false}
      autocomplete="off" value=${text} onInput=${(event) => { setText(event.target.value); setAt(0); }} onKeyDown=${onKeyDown} data-testid="palette-input" />
      <kbd>Esc</kbd></div>
    <div id="palette-list" class="palette-list" role="listbox" aria-label="Found" ref=${list} tabindex="-1">
      ${all.map((command, index) => {
    const isFirst = command.group !== group;
    group = command.group;
    return html`${isFirst && html`<div key=${`group ${index}`} class="palette-group" role="presentation">${command.group}</div>`}
          <div key=${index} id=${`palette-${index}`} role="option" aria-selected=${String(index === chosen)} class=${classes('palette-item', index === chosen && 'is-on')}
            onMouseMove=${() => index !== chosen && setAt(index)} onClick=${() => pick(command)}><${Icon} name=${command.icon} /><span>${command.title}</span>
            ${command.note && html`<small class="ellipsis">${command.note}</small>`}</div>`;
  })}
      ${!all.length && html`<p class="palette-group">Nothing fits</p>`}
    </div></div>`;
}
