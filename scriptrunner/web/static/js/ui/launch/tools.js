/** What else can be done with the form: try it dry, keep it, copy it, edit it as JSON. */
import { file, mode, resetForm, values } from '../../lib/launch-state.js';
import { html } from '../../lib/ui.js';
import { Button } from '../basics.js';
import { Menu } from '../menu.js';
import { showToast } from '../toast.js';
import { currentRequest } from './start.js';

/** @param {{fields: import('../../lib/schema.js').Field[], busy: string, refusal: string, onDry: () => void}} props */
export function LaunchTools({ fields, busy, refusal, onDry }) {
  const copy = (kind) => async () => {
    const [texts, { copyText }, { base }] = await Promise.all([
      import('../../lib/request-text.js'), import('../../lib/clipboard.js'), import('../../lib/boot.js'),
    ]);
    const sent = {
      address: location.origin + base, request: currentRequest(fields), file: mode.peek() === 'upload' ? file.peek()?.name ?? 'script.py' : undefined,
    };
    if (kind !== 'cli') {
      await copyText(kind === 'curl' ? texts.toCurl(sent) : texts.toPython(sent), kind === 'curl' ? 'curl command' : 'Python code');
      return;
    }
    const { text, left } = texts.toCommand(sent);
    await copyText(text, 'Command');
    if (left.length) showToast(`The command line has no option for ${left.join(', ')}`, { tone: 'warn' });
  };
  const keep = async () => (await import('./favourite-dialogs.js')).askForName(values.peek());
  const edit = async () => (await import('./json-editor.js')).editAsJson(fields);
  const items = [
    { label: 'Save as favourite', icon: 'star', run: keep, testid: 'favourite-save' },
    { label: 'Copy as curl', icon: 'copy', run: copy('curl'), testid: 'copy-curl' },
    { label: 'Copy as Python', icon: 'copy', run: copy('python'), testid: 'copy-python' },
    { label: 'Copy as command', icon: 'terminal', run: copy('cli'), testid: 'copy-cli' },
    { label: 'Edit as JSON', icon: 'code', run: edit, testid: 'launch-json' },
    { label: 'Back to the defaults', icon: 'rotate-cw', run: resetForm, testid: 'launch-reset' },
  ];
  return html`<span class="launch-tools">
    <${Button} compact=${true} icon="list-checks" label=${busy === 'dry' ? 'Checking…' : 'Dry run first'} busy=${busy} refusal=${refusal} onClick=${onDry}
      title="Check everything and show what would run; nothing is started" data-testid="launch-dry" />
    <${Menu} label="More for this form" items=${items} /></span>`;
}
