/** Launch forms that were given a name; they stay in this browser, without secrets. */
import { load, save } from './prefs.js';
import { signal } from './ui.js';

/** @typedef {{name: string, values: {[name: string]: unknown}}} Favourite */

export const favourites = signal(/** @type {Favourite[]} */ (load('favourites', [])));

/** Keep a form under a name; an older one of that name is replaced. */
export function keepFavourite(name, values) {
  put([...favourites.peek().filter((each) => each.name !== name), { name, values }]);
}

export const dropFavourite = (name) => put(favourites.peek().filter((each) => each.name !== name));

function put(next) {
  favourites.value = next.sort((a, b) => a.name.localeCompare(b.name));
  save('favourites', favourites.value);
}
