/** The whole request as JSON, to be edited and put back into the form. */
import { fillWith, mode, values } from '../../lib/launch-state.js';
import { isChanged } from '../../lib/schema.js';
import { html, useState } from '../../lib/ui.js';
import { Button } from '../basics.js';
import { closeDialog, openDialog } from '../dialog.js';

/** @param {import('../../lib/schema.js').Field[]} fields */
export function editAsJson(fields) {
  const sent = fields.filter((field) => isChanged(field, values.peek()[field.name])).map(({ name }) => [name, values.peek()[name]]);
  const text = JSON.stringify(Object.fromEntries(sent), null, 2);
  openDialog({ title: 'Request as JSON', wide: true, body: html`<${Editor} text=${text} fields=${fields} />` });
}

function Editor({ text: before, fields }) {
  const [text, setText] = useState(before);
  const fault = faultOf(text, fields);
  const apply = () => {
    if (fault) return;
    fillWith(JSON.parse(text), { upload: mode.peek() === 'upload' });
    closeDialog();
  };
  return html`<div class="stack">
    <textarea class="mono json-text" rows="16" data-first-focus spellcheck=${false} aria-label="Request as JSON" aria-invalid=${fault ? 'true' : undefined}
      value=${text} onInput=${(event) => setText(event.target.value)} data-testid="json-text"></textarea>
    ${fault ? html`<p class="fault" role="status">${fault}</p>` : html`<p class="help">What is not named here keeps its default. The values are checked when the run is started.</p>`}
    <div><${Button} kind="primary" label="Put into the form" refusal=${fault} onClick=${apply} data-testid="json-apply" /></div></div>`;
}

/** What is wrong with a text, '' if nothing is. */
function faultOf(text, fields) {
  let value;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return /** @type {Error} */ (error).message;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'An object is needed: {"script_path": "…"}';
  const known = new Map(fields.map((field) => [field.name, field]));
  for (const [name, each] of Object.entries(value)) {
    if (!known.has(name)) return `There is no option ${name}`;
    const { initial } = known.get(name);
    if (Array.isArray(initial) && !Array.isArray(each)) return `${name} must be a list`;
    if (initial !== null && typeof initial === 'object' && !Array.isArray(initial) && (typeof each !== 'object' || each === null || Array.isArray(each))) {
      return `${name} must be an object`;
    }
    if (name === 'args' && each.some((word) => typeof word !== 'string')) return 'args must be a list of texts';
    if (name === 'env_vars' && Object.values(each).some((word) => typeof word !== 'string')) return 'The values of env_vars must be texts';
  }
  return '';
}
