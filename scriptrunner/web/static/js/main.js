/** Boot: header, notices and the page of the address. */
import { loadMe } from './lib/api.js';
import { soon, staticHref } from './lib/boot.js';
import { startClock } from './lib/format.js';
import { startHotkeys, useHotkeys } from './lib/hotkeys.js';
import { startLive } from './lib/live.js';
import { applyTheme } from './lib/prefs.js';
import { match, navigate, path, startRouter } from './lib/router.js';
import { effect, html, pageStands, render, signal, standing, useEffect, useErrorBoundary } from './lib/ui.js';
import { ErrorBox, startReadingAtTheTop } from './ui/basics.js';
import { Toasts } from './ui/toast.js';

/** Pages are loaded when they are visited first; the server preloads the first one. */
const PAGES = {
  runner: () => import('./pages/runner.js'),
  runs: () => import('./pages/runs.js'),
  run: () => import('./pages/run.js'),
  compare: () => import('./pages/compare.js'),
  launch: () => import('./pages/launch.js'),
  library: () => import('./pages/library.js'),
  duplicates: () => import('./pages/duplicates.js'),
  script: () => import('./pages/script.js'),
  schedules: () => import('./pages/schedules.js'),
  schedule: () => import('./pages/schedule.js'),
  analytics: () => import('./pages/analytics.js'),
  gates: () => import('./pages/gates.js'),
  alerts: () => import('./pages/alerts.js'),
  system: () => import('./pages/system.js'),
  settings: () => import('./pages/settings.js'),
  tokens: () => import('./pages/tokens.js'),
  audit: () => import('./pages/audit.js'),
  'not-found': () => import('./pages/not-found.js'),
};

/** What is shown: where that is, its part, or why there is none. */
const page = signal({ where: { name: '' }, part: null, error: null });
const title = signal('');

/** `g` and a letter. */
const GO_TO = [
  ['r', 'the Runner', '/'], ['l', 'the Script Library', '/library'], ['s', 'the Schedules', '/schedules'], ['a', 'the Analytics', '/analytics'],
  ['n', 'the Alerts', '/alerts'], ['y', 'the System page', '/system'],
];

/** Tabs of one run are one page. */
const keyOf = ({ name, id = '' }) => `${name} ${id}`;

function Page() {
  const [error, retry] = useErrorBoundary((fault) => console.error(fault));
  const { part: Part, error: loadFailure, where: shown } = page.value;
  const asked = match(path.value);
  // Until the next page is loaded, this one stays as it is.
  const where = keyOf(asked) === keyOf(shown) ? asked : shown;
  useHotkeys([
    { keys: '?', label: 'Show this list', group: 'Everywhere', run: showShortcuts },
    ...GO_TO.map(([key, title, to]) => ({ keys: `g ${key}`, label: `Go to ${title}`, group: 'Everywhere', run: () => navigate(to) })),
  ]);
  useEffect(() => retry(), [keyOf(where)]);
  const fault = error ?? loadFailure;
  useEffect(() => { if (Part || fault) pageStands(); }, [Part, fault]);
  if (fault) return html`<${ErrorBox} error=${fault} title="This page broke" onRetry=${() => location.reload()} />`;
  return Part && html`<${Part} key=${keyOf(where)} ...${where} setTitle=${setTitle} />`;
}

function setTitle(text) {
  title.value = text;
}

/** Page that was asked for last. */
let wanted = '';

/** Load and show the page of an address. */
async function show(where) {
  const key = keyOf(where);
  if (key === wanted) return;
  const isFirst = wanted === '';
  wanted = key;
  let loaded = { where, part: null, error: /** @type {Error|null} */ (null) };
  try {
    const module = await PAGES[where.name]();
    loaded = { where, part: module.default, error: null };
    if (key === wanted) setTitle(module.title?.() ?? '');
  } catch (error) {
    loaded.error = /** @type {Error} */ (error);
  }
  if (key !== wanted) return;
  if (!isFirst) startReadingAtTheTop();
  page.value = loaded;
}

async function showShortcuts() {
  const [{ openDialog }, { Shortcuts }] = await Promise.all([import('./ui/dialog.js'), import('./ui/shortcuts.js')]);
  openDialog({ title: 'Keyboard', body: html`<${Shortcuts} />` });
}

async function showPalette() {
  if (document.querySelector('dialog[open]')) return;
  const { openPalette } = await import('./ui/palette.js');
  openPalette({ onHelp: showShortcuts });
}

/** Ctrl K works everywhere, also while one types. */
function listenForPalette() {
  document.addEventListener('keydown', (event) => {
    if (event.key.toLowerCase() !== 'k' || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return;
    event.preventDefault();
    showPalette();
  });
}

/** Fetch what the page needs next, all at once: each import alone would wait for the one above it. */
function fetchNext() {
  performance.mark('page-stands');
  for (const module of soon) {
    const link = document.createElement('link');
    link.rel = 'modulepreload';
    link.href = staticHref(module);
    document.head.append(link);
  }
}

/** Not needed for the first sight of a page, but the notices must be here before the server is gone. */
async function mountRest() {
  const [{ HeaderTools }, { Notices }, { StatusStrip }] = await Promise.all([
    import('./ui/header-tools.js'), import('./ui/notices.js'), import('./ui/status-strip.js'),
  ]);
  render(html`<${HeaderTools} onHelp=${showShortcuts} onSearch=${showPalette} />`, document.querySelector('#tools'));
  render(html`<${Notices} />`, document.querySelector('#notices'));
  render(html`<${StatusStrip} />`, document.querySelector('#status'));
}

/** Mark the header's tab that a page belongs to; `isItself` when it is the tab's own page. */
function markTab(nav, isItself) {
  for (const link of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('[data-tab]'))) {
    if (link.dataset.tab === nav) link.setAttribute('aria-current', isItself ? 'page' : 'true');
    else link.removeAttribute('aria-current');
  }
}

function boot() {
  startRouter();
  applyTheme();
  startClock();
  startHotkeys();
  listenForPalette();
  effect(() => {
    const where = match(path.value);
    markTab(where.nav, where.nav === where.name);
    show(where);
  });
  effect(() => {
    document.title = title.value ? `${title.value} · Script Runner` : 'Script Runner';
  });
  const main = /** @type {HTMLElement} */ (document.querySelector('#main'));
  effect(function mount() {
    if (!page.value.where.name || main.dataset.ready) return;
    main.dataset.ready = 'true';
    main.replaceChildren();
    render(html`<${Page} />`, main);
  });
  standing.then(fetchNext).then(mountRest);
  const toasts = document.createElement('div');
  /** @type {HTMLElement} */ (document.querySelector('#overlays')).append(toasts);
  render(html`<${Toasts} />`, toasts);
  loadMe();
  startLive();
}

boot();
