/** What the reader chose on this browser: theme, time zone, page size. */
import { base } from './boot.js';
import { effect, signal } from './ui.js';

const PREFIX = `scriptrunner${base}:`;

/** A stored value, or `fallback`; storage may be switched off. */
export function load(name, fallback, storage = 'localStorage') {
  try {
    const text = globalThis[storage].getItem(PREFIX + name);
    return text === null ? fallback : JSON.parse(text);
  } catch {
    return fallback;
  }
}

/** Store a value; undefined removes it. */
export function save(name, value, storage = 'localStorage') {
  try {
    if (value === undefined) globalThis[storage].removeItem(PREFIX + name);
    else globalThis[storage].setItem(PREFIX + name, JSON.stringify(value));
  } catch { /* the choice holds for this visit */ }
}

/** A signal that is stored whenever it changes and follows the other tabs. */
function preference(name, fallback) {
  const value = signal(load(name, fallback));
  addEventListener('storage', (event) => {
    if (event.key === PREFIX + name) value.value = load(name, fallback);
  });
  effect(() => {
    save(name, value.value);
  });
  return value;
}

/** 'system', 'light' or 'dark'. */
export const theme = preference('theme', 'system');
/** 'local' or 'utc': the zone of absolute times. */
export const zone = preference('zone', 'local');
/** 'comfortable' or 'compact': the height of rows. */
export const density = preference('density', 'comfortable');
/** Rows of one page of the runs table. */
export const pageSize = preference('page-size', 25);
/** Whether long lines of a log are wrapped. */
export const wrapLines = preference('wrap', false);
/** Columns of the runs table that are hidden. */
export const hiddenColumns = preference('hidden-columns', ['memory', 'tags', 'user']);
/** Filters of the runs table that were given a name: [name, query]. */
export const savedViews = preference('views', []);
/** False switches the one-letter keys off. */
export const hotkeysOn = preference('hotkeys', true);

/** Put the theme on the document, and into a cookie so that the next page starts with it. */
export function applyTheme() {
  effect(() => {
    document.documentElement.dataset.density = density.value;
  });
  effect(() => {
    const choice = theme.value;
    if (choice === 'system') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = choice;
    const age = choice === 'system' ? 0 : 31536000;
    document.cookie = `scriptrunner_theme=${choice}; path=${base}/; max-age=${age}; samesite=lax`;
  });
}
