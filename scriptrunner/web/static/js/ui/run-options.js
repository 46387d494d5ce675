/** The options of a run inside another form: those that differ from the default, and the rest to choose from. */
import { form, formError, loadForm } from '../lib/launch-state.js';
import { initialValues, isChanged, isShown } from '../lib/schema.js';
import { html, useEffect } from '../lib/ui.js';
import { ErrorBox, Skeleton } from './basics.js';
import { SchemaField } from './fields.js';

/** Said by the form around it. */
const ELSEWHERE = ['script_path', 'args'];

/** @param {{values: {[name: string]: unknown}, onChange: (values: object) => void}} props only what differs from the default is in `values` */
export function RunOptions({ values, onChange }) {
  useEffect(() => {
    loadForm();
  }, []);
  if (!form.value) return formError.value ? html`<${ErrorBox} error=${formError.value} onRetry=${loadForm}
    title="The options could not be loaded" />` : html`<${Skeleton} lines=${2} />`;
  const { groups, fields } = form.value;
  const mine = fields.filter(({ name }) => !ELSEWHERE.includes(name));
  const all = { ...initialValues(mine), ...values };
  const put = (field) => (value) => {
    const { [field.name]: _, ...rest } = values;
    onChange(isChanged(field, value) ? { ...rest, [field.name]: value } : rest);
  };
  return html`<div class="run-options" data-testid="run-options">${groups.map((group) => {
    const shown = mine.filter((field) => field.group === group.key && isShown(field, all));
    return shown.length > 0 && html`<fieldset key=${group.key}><legend>${group.title}</legend><div class="fields">
      ${shown.map((field) => html`<${SchemaField} key=${field.name} field=${field} value=${all[field.name]} onChange=${put(field)} />`)}</div></fieldset>`;
  })}</div>`;
}
