/** Launch forms with a name: kept in this browser, filled in by one click. */
import { favourites } from '../../lib/favourites.js';
import { fillWith } from '../../lib/launch-state.js';
import { html } from '../../lib/ui.js';
import { Menu } from '../menu.js';

const manage = async () => (await import('./favourite-dialogs.js')).manageFavourites();

export function FavouritesMenu() {
  if (!favourites.value.length) return null;
  const items = [
    ...favourites.value.map(({ name, values }) => ({ label: name, icon: 'star', run: () => fillWith(values), testid: 'favourite' })),
    { label: 'Manage favourites', icon: 'pencil', run: manage, testid: 'favourites-manage' },
  ];
  return html`<span data-testid="favourites"><${Menu} label="Favourites" icon="star" items=${items} /></span>`;
}
