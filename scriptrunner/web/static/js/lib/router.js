/** Which page is shown: the address, as a signal, and the ways to change it. */
import { base } from './boot.js';
import { batch, signal } from './ui.js';

const ID = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}';
const RUN = new RegExp(`^/runs/(${ID})(?:/(log|steps|events|details))?$`);

/** Path below the prefix, such as '/runs/…/log'. */
export const path = signal('/');
/** Query as URLSearchParams; replaced as a whole. */
export const query = signal(new URLSearchParams());
/** Fragment without '#'. */
export const fragment = signal('');

/** Name and parameters of the page of a path. */
export function match(where) {
  if (where === '/' || where === '') return { name: 'runner' };
  const run = RUN.exec(where);
  return run ? { name: 'run', id: run[1], tab: run[2] ?? 'log' } : { name: 'not-found' };
}

function read() {
  const { pathname, search, hash } = location;
  batch(() => {
    path.value = pathname.startsWith(base) ? pathname.slice(base.length) || '/' : pathname;
    if (`?${query.peek()}` !== search) query.value = new URLSearchParams(search);
    fragment.value = hash.slice(1);
  });
}

/** Go to a path below the prefix: `navigate('/runs/…/log')`. */
export function navigate(to, { replace = false } = {}) {
  history[replace ? 'replaceState' : 'pushState'](null, '', base + to);
  read();
}

/** Change some names of the query in place; null and '' remove one. */
export function setQuery(changes, { replace = true } = {}) {
  const next = new URLSearchParams(query.value);
  for (const [name, value] of Object.entries(changes)) {
    next.delete(name);
    for (const each of [value].flat()) {
      if (each !== null && each !== undefined && each !== '') next.append(name, each);
    }
  }
  const text = next.toString();
  navigate(path.value + (text ? `?${text}` : '') + (fragment.value ? `#${fragment.value}` : ''), { replace });
}

/** Follow links to our own pages without loading a document. */
function followLink(event) {
  if (event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  const link = event.target.closest?.('a[href]');
  if (!link || link.target || link.hasAttribute('download') || link.origin !== location.origin) return;
  if (!link.pathname.startsWith(base)) return;
  const to = link.pathname.slice(base.length) || '/';
  if (match(to).name === 'not-found' || link.getAttribute('href').startsWith('#')) return;
  event.preventDefault();
  navigate(to + link.search + link.hash);
}

/** Read the address now and whenever it changes. */
export function startRouter() {
  read();
  addEventListener('popstate', read);
  addEventListener('hashchange', read);
  document.addEventListener('click', followLink);
}
