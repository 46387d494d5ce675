/** Boot: header, notices and the page of the address. */
import { loadMe } from './lib/api.js';
import { startClock } from './lib/format.js';
import { startHotkeys, useHotkeys } from './lib/hotkeys.js';
import { startLive } from './lib/live.js';
import { applyTheme } from './lib/prefs.js';
import { fragment, match, navigate, path, startRouter } from './lib/router.js';
import { effect, html, render, signal, useEffect, useErrorBoundary } from './lib/ui.js';
import { ErrorBox } from './ui/basics.js';
import { HeaderTools, showShortcuts } from './ui/header-tools.js';
import { Toasts } from './ui/toast.js';

/** Pages are loaded when they are visited first; the server preloads the first one. */
const PAGES = {
  runner: () => import('./pages/runner.js'),
  run: () => import('./pages/run.js'),
  'not-found': () => import('./pages/not-found.js'),
};

/** @type {ReturnType<typeof signal<{name: string, part: Function|null, error: Error|null}>>} */
const page = signal({ name: '', part: null, error: null });
const title = signal('');

function Page() {
  const [error, retry] = useErrorBoundary((fault) => console.error(fault));
  const { part: Part, error: loadFailure } = page.value;
  const where = match(path.value);
  useHotkeys([
    { keys: '?', label: 'Show this list', group: 'Everywhere', run: showShortcuts },
    { keys: 'g r', label: 'Go to the Runner', group: 'Everywhere', run: () => navigate('/') },
  ]);
  useEffect(() => retry(), [where.name, where.id]);
  const fault = error ?? loadFailure;
  if (fault) return html`<${ErrorBox} error=${fault} title="This page broke" onRetry=${() => location.reload()} />`;
  return Part && html`<${Part} key=${where.id ?? where.name} ...${where} setTitle=${setTitle} />`;
}

function setTitle(text) {
  title.value = text;
}

/** Name and id of the page that is shown. */
let shownKey = '';

/** Load and show the page of the address. */
async function show({ name, id = '' }) {
  const key = `${name} ${id}`;
  if (key === shownKey) return;
  const moved = shownKey !== '';
  shownKey = key;
  let loaded = { name, part: null, error: null };
  try {
    const module = await PAGES[name]();
    loaded = { name, part: module.default, error: null };
    setTitle(module.title?.() ?? '');
  } catch (error) {
    loaded.error = /** @type {Error} */ (error);
  }
  if (key !== shownKey) return;
  page.value = loaded;
  if (moved) focusHeading();
}

/** After a change of page, reading starts at its heading. */
function focusHeading() {
  requestAnimationFrame(() => {
    if (!fragment.peek()) scrollTo(0, 0);
    document.querySelector('h1')?.focus({ preventScroll: true });
  });
}

/** Notices wait for the first calm moment; they must be here before the server is gone. */
async function mountNotices(place) {
  const { Notices } = await import('./ui/notices.js');
  render(html`<${Notices} />`, place);
}

function boot() {
  startRouter();
  applyTheme();
  startClock();
  startHotkeys();
  effect(() => {
    const where = match(path.value);
    const { name } = where;
    const runner = document.querySelector('[data-testid=nav-runner]');
    if (name === 'not-found') runner?.removeAttribute('aria-current');
    else runner?.setAttribute('aria-current', name === 'runner' ? 'page' : 'true');
    show(where);
  });
  effect(() => {
    document.title = title.value ? `${title.value} · Script Runner` : 'Script Runner';
  });
  const main = document.querySelector('#main');
  effect(function mount() {
    if (!page.value.name || main.dataset.ready) return;
    main.dataset.ready = 'true';
    main.replaceChildren();
    render(html`<${Page} />`, main);
  });
  render(html`<${HeaderTools} />`, document.querySelector('#tools'));
  setTimeout(() => mountNotices(document.querySelector('#notices')), 1000);
  const toasts = document.createElement('div');
  document.querySelector('#overlays').append(toasts);
  render(html`<${Toasts} />`, toasts);
  loadMe();
  startLive();
}

boot();
