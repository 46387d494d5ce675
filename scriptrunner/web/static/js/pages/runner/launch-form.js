/** The launch card of the Runner: the first fields at once, the others behind their groups. */
import { href } from '../../lib/boot.js';
import { useHotkeys } from '../../lib/hotkeys.js';
import { form, formError, loadForm, mode, setMode } from '../../lib/launch-state.js';
import { favourites } from '../../lib/favourites.js';
import { showStarted } from '../../lib/runs-list.js';
import { html, lazy, useEffect } from '../../lib/ui.js';
import { Button, Card, ErrorBox, Segments, Skeleton } from '../../ui/basics.js';
import { LaunchForm } from '../../ui/launch/form.js';

/** Who has no favourites needs no menu of them. */
const FavouritesMenu = lazy(() => import('../../ui/launch/favourites.js').then((module) => module.FavouritesMenu));

const MODES = [['path', 'On the server'], ['upload', 'Upload']];

export function ModeSwitch() {
  return html`<${Segments} label="Where the script is" name="launch-mode" value=${mode.value} choices=${MODES} onChange=${setMode} />`;
}

export function LaunchCard() {
  useEffect(() => {
    loadForm();
  }, []);
  const goToForm = () => /** @type {HTMLElement|null} */ (document.querySelector('.launch-form input'))?.focus();
  useHotkeys([{ keys: 'n', label: 'New run: go to the launch form', group: 'Runner', run: goToForm }]);
  const ready = form.value;
  return html`<${Card} title="Launch" class="launch" data-testid="launch-card" actions=${ready && html`
    <${ModeSwitch} />${favourites.value.length > 0 && html`<${FavouritesMenu} />`}
    <${Button} label="All options" compact=${true} kind="quiet" icon="maximize-2" href=${href('/launch')} title="The whole form on a page of its own" />`}>
    ${ready ? html`<${LaunchForm} ...${ready} onStarted=${showStarted} />`
      : formError.value ? html`<${ErrorBox} error=${formError.value} onRetry=${loadForm} title="The form could not be loaded" />`
        : html`<${Skeleton} lines=${2} />`}
  <//>`;
}
