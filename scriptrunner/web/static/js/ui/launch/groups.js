/** Groups of the launch form: switches that open them, and the opened ones. */
import { plural } from '../../lib/format.js';
import { openGroups, origin } from '../../lib/launch-state.js';
import { isChanged, isShown, retryWaits } from '../../lib/schema.js';
import { classes, html } from '../../lib/ui.js';
import { Icon } from '../basics.js';

/** Whether a value is another than in the run that is edited. */
export function isEdited(field, current) {
  const before = origin.value?.request;
  return Boolean(before) && JSON.stringify(before[field.name] ?? field.initial) !== JSON.stringify(current[field.name]);
}

/** Opens a group; while closed it shows what differs from the defaults. */
export function GroupSwitch({ group, current }) {
  if (!group.fields.length) return null;
  const open = openGroups.value.includes(group.key);
  const changed = group.fields.filter((field) => isShown(field, current) && isChanged(field, current[field.name]));
  const toggle = () => {
    openGroups.value = open ? openGroups.value.filter((each) => each !== group.key) : [...openGroups.value, group.key];
  };
  return html`<button type="button" class=${classes('group-switch', changed.length && 'is-changed')} aria-expanded=${String(open)}
    aria-controls=${`group-${group.key}`} onClick=${toggle} data-testid=${`group-${group.key}`}>
    <${Icon} name=${open ? 'chevron-down' : 'chevron-right'} />${group.more ?? group.title}
    ${changed.length > 0 && html`<span class="changes">${changed.map((field) => brief(field, current[field.name])).join(', ')}</span>`}</button>`;
}

/** A value in two or three words. */
export function brief(field, value) {
  const label = field.label.toLowerCase();
  if (value === true) return field.name === 'retry_on_failure' ? 'on' : label;
  if (value === false) return `not: ${label}`;
  if (field.widget === 'secret') return label;
  if (field.widget === 'env') return plural(Object.keys(value).length, 'variable');
  if (Array.isArray(value)) return plural(value.length, { gates: 'gate', alerts: 'rule' }[field.widget] ?? 'argument');
  return `${label} ${value}${field.unit ? ` ${field.unit}` : ''}`;
}

export function Group({ group, current, children }) {
  return html`<fieldset id=${`group-${group.key}`} class=${`launch-group group-${group.key}`}>
    <legend>${group.more ?? group.title}<span class="muted"> ${group.help}</span></legend>
    <div class="fields">${children}</div>
    ${group.key === 'retry' && current.retry_on_failure && html`<p class="help preview">${retryPreview(current)}</p>`}
  </fieldset>`;
}

function retryPreview(current) {
  const waits = retryWaits(current);
  const shown = waits.slice(0, 6).map((each) => Math.round(each * 10) / 10).join(', ');
  const more = waits.length > 6 ? ' …' : '';
  const jitter = current.retry_strategy.endsWith('jitter') ? ' and up to twice that' : '';
  const end = `gives up after ${plural(current.retry_max_attempts, 'attempt')} or ${current.retry_max_time} s`;
  return `Waits ${shown || 'nothing'}${more} s${jitter}; ${end}.`;
}
