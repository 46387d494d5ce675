/** Launch: the whole form, empty, for a script, or with the options of a run. */
import { href } from '../lib/boot.js';
import { fillFromRun, form, formError, loadForm, origin, setMode, setValue } from '../lib/launch-state.js';
import { navigate, query } from '../lib/router.js';
import { html, useEffect, useState } from '../lib/ui.js';
import { Card, ErrorBox, Heading, Skeleton } from '../ui/basics.js';
import { FavouritesMenu } from '../ui/launch/favourites.js';
import { LaunchForm } from '../ui/launch/form.js';
import { ModeSwitch } from './runner/launch-form.js';

export const title = () => 'Launch';

export default function Launch() {
  const [error, setError] = useState(null);
  const from = query.value.get('from') ?? '';
  const script = query.value.get('script') ?? '';
  const prepare = async () => {
    loadForm();
    try {
      if (from && origin.peek()?.id !== from) await fillFromRun(from);
      setError(null);
    } catch (fault) {
      setError(fault);
    }
    if (script) {
      setMode('path');
      setValue('script_path', script);
    }
  };
  useEffect(() => {
    prepare();
  }, [from, script]);
  const started = (id, how) => how === 'start' && navigate(`/runs/${id}/log`);
  const ready = form.value;
  return html`<header class="page-line"><nav class="crumbs" aria-label="Where this is"><a href=${href('/')}>Runner</a><span aria-hidden="true">/</span></nav>
      <${Heading}>Launch a run<//></header>
    ${error && html`<${ErrorBox} error=${error} title="The options of that run could not be loaded" onRetry=${prepare} />`}
    <${Card} class="launch" data-testid="launch-card" title="Script" actions=${ready && html`<${ModeSwitch} /><${FavouritesMenu} />`}>
      ${ready ? html`<${LaunchForm} ...${ready} page=${true} onStarted=${started} />`
    : formError.value ? html`<${ErrorBox} error=${formError.value} onRetry=${loadForm} title="The form could not be loaded" />`
      : html`<${Skeleton} lines=${12} />`}
    <//>`;
}
