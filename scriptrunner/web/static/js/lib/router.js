/** Which page is shown: the address, as a signal, and the ways to change it. */
import { base } from './boot.js';
import { batch, signal } from './ui.js';

const ID = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}';
export const RUN_TABS = ['log', 'steps', 'metrics', 'events', 'details', 'checks', 'source'];

/**
 * Name, path and header tab of each page; the same as in `scriptrunner/web/page.py`. Named groups
 * become props of the page.
 * @type {[name: string, path: string, tab: string][]}
 */
export const PAGES = [
  ['runner', '/', 'runner'],
  ['runs', '/runs', 'runner'],
  ['run', `/runs/(?<id>${ID})(?:/(?<tab>${RUN_TABS.join('|')}))?`, 'runner'],
  ['compare', '/compare', 'runner'],
  ['launch', '/launch', 'runner'],
  ['library', '/library', 'library'],
  ['duplicates', '/library/duplicates', 'library'],
  ['script', '/library/(?<id>[1-9][0-9]{0,17})', 'library'],
  ['schedules', '/schedules', 'schedules'],
  ['schedule', '/schedules/(?<id>[A-Za-z0-9][A-Za-z0-9._:-]{0,127})', 'schedules'],
  ['analytics', '/analytics', 'analytics'],
  ['gates', '/analytics/gates', 'analytics'],
  ['alerts', '/alerts', 'alerts'],
  ['system', '/system', 'system'],
  ['settings', '/settings', 'system'],
  ['tokens', '/tokens', 'system'],
  ['audit', '/audit', 'system'],
];
const PATTERNS = PAGES.map(([name, pattern, tab]) => /** @type {const} */ ([new RegExp(`^${pattern}$`), name, tab]));

/** Path below the prefix, such as '/runs/…/log'. */
export const path = signal('/');
/** Query as URLSearchParams; replaced as a whole. */
export const query = signal(new URLSearchParams());
/** Fragment without '#'. */
export const fragment = signal('');

/**
 * Name, header tab and parameters of the page of a path.
 * @param {string} where
 * @returns {{name: string, nav: string, id?: string, tab?: string}}
 */
export function match(where) {
  for (const [pattern, name, nav] of PATTERNS) {
    const found = pattern.exec(where || '/');
    if (found) return { name, nav, ...found.groups };
  }
  return { name: 'not-found', nav: '' };
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

/** Change the fragment without scrolling; '' removes it. */
export function setFragment(text) {
  const words = query.peek().toString();
  navigate(`${path.peek()}${words ? `?${words}` : ''}${text ? `#${text}` : ''}`, { replace: true });
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
