/** The file of an upload: chosen, or dropped on the form. */
import { bytes } from '../../lib/format.js';
import { file, lostFile } from '../../lib/launch-state.js';
import { html } from '../../lib/ui.js';
import { Icon } from '../basics.js';
import { common, FieldFrame } from '../fields.js';

export function UploadField({ fault }) {
  const chosen = file.value;
  const help = lostFile.value && !chosen ? `Choose ${lostFile.value} again: a browser forgets files on reload.`
    : 'A .py or .pyw file of up to 10 MiB; or drop it on this form.';
  const field = { name: 'file', label: 'Script file', widget: 'file', help };
  return html`<${FieldFrame} field=${field} fault=${fault}>
    <label class="file-pick"><${Icon} name="file-up" /><span>${chosen ? `${chosen.name} (${bytes(chosen.size)})` : 'Choose a Python file…'}</span>
      <input type="file" ...${common(field, fault)} accept=".py,.pyw" data-testid="launch-upload"
        onChange=${(event) => { file.value = event.target.files[0] ?? null; }} /></label><//>`;
}
