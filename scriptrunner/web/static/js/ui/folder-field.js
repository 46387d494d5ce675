/** A folder of the server: typed, or picked from the folders below the allowed roots. */
import { html } from '../lib/ui.js';
import { Button } from './basics.js';
import { common, FieldFrame } from './fields.js';

/** @param {{field: import('../lib/schema.js').Field, value: string|null, onChange: (value: string|null) => void, fault?: string}} props */
export function FolderField({ field, value, onChange, fault }) {
  const browse = async () => {
    const { pickFolder } = await import('./folder-picker.js');
    const found = await pickFolder(value);
    if (found) onChange(found);
  };
  return html`<${FieldFrame} field=${field} fault=${fault}>
    <span class="with-button">
      <input type="text" class="mono" ...${common(field, fault)} value=${value ?? ''} placeholder=${field.placeholder} spellcheck=${false}
        autocomplete="off" autocapitalize="off" onInput=${(event) => onChange(event.target.value || null)} />
      <${Button} icon="folder-open" label="Browse" title="Pick a folder of the server" onClick=${browse} data-testid=${`${field.name}-browse`} />
    </span><//>`;
}
