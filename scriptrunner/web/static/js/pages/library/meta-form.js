/** What people say about a script: status, owner, environment, notes, tags; changed in place. */
import { request } from '../../lib/api.js';
import { LIFECYCLE, loadTags, tags } from '../../lib/library.js';
import { html, useState } from '../../lib/ui.js';
import { Button, ErrorBox } from '../../ui/basics.js';
import { Menu } from '../../ui/menu.js';
import { lacking } from '../../ui/states.js';
import { Tag } from '../../ui/tag.js';
import { showError, showToast } from '../../ui/toast.js';
import { askForTag } from './tags-card.js';

const read = (script) => ({ status: script.status, owner: script.owner ?? '', environment: script.environment ?? '', notes: script.notes ?? '' });

/** @param {{script: object, onChange: (script: object) => void}} props `onChange` gets the script as the server has it now */
export function MetaForm({ script, onChange }) {
  const refusal = lacking('library.write');
  return html`<div class="meta-column">
    <${ScriptTags} script=${script} onChange=${onChange} refusal=${refusal} />
    ${refusal ? html`<${MetaText} script=${script} />` : html`<${Fields} script=${script} onChange=${onChange} />`}
  </div>`;
}

function Fields({ script, onChange }) {
  const [values, setValues] = useState(() => read(script));
  const [error, setError] = useState(null);
  const [busy, setBusy] = useState(false);
  const stored = read(script);
  const changed = Object.keys(values).filter((name) => values[name] !== stored[name]);
  const set = (name) => (event) => setValues({ ...values, [name]: event.target.value });
  const save = async (event) => {
    event.preventDefault();
    if (busy || !changed.length) return;
    setBusy(true);
    const json = Object.fromEntries(changed.map((name) => [name, values[name].trim() === '' ? null : values[name]]));
    try {
      const answer = await (await request('PUT', `/api/library/scripts/${script.id}/status`, { json })).json();
      onChange(answer.script);
      setValues(read(answer.script));
      setError(null);
      showToast(`${script.name} is changed`);
    } catch (fault) {
      setError(fault);
    }
    setBusy(false);
  };
  const field = (name, label, input) => html`<div class="field"><label for=${`meta-${name}`}>${label}</label>${input}</div>`;
  const common = (name) => ({ id: `meta-${name}`, 'data-testid': `meta-${name}`, value: values[name] });
  return html`<form class="stack" onSubmit=${save} data-testid="lib-meta">
    ${error && html`<${ErrorBox} error=${error} title="Nothing was stored" />`}
    ${field('status', 'Status', html`<select ...${common('status')} onChange=${set('status')}>${LIFECYCLE.map((each) => html`
      <option key=${each} value=${each} selected=${each === values.status}>${each}</option>`)}</select>`)}
    ${field('owner', 'Owner', html`<input type="text" maxlength="200" placeholder="nobody" autocomplete="off" ...${common('owner')} onInput=${set('owner')} />`)}
    ${field('environment', 'Environment', html`<input type="text" maxlength="200" placeholder="any" autocomplete="off" ...${common('environment')}
      onInput=${set('environment')} />`)}
    ${field('notes', 'Notes', html`<textarea rows="5" maxlength="20000" ...${common('notes')} onInput=${set('notes')}></textarea>`)}
    <div class="line-up"><${Button} type="submit" kind="primary" icon="save" label=${busy ? 'Saving…' : 'Save'} busy=${busy} refusal=${changed.length
      ? '' : 'Nothing is changed'} data-testid="meta-save" />
      ${changed.length > 0 && html`<${Button} label="Undo" onClick=${() => setValues(stored)} />`}</div>
  </form>`;
}

/** The same as text, for readers who may not change it. */
function MetaText({ script }) {
  const rows = [['Status', script.status], ['Owner', script.owner], ['Environment', script.environment], ['Notes', script.notes]];
  return html`<dl class="kv" data-testid="lib-meta">${rows.map(([name, text]) => html`<div key=${name}><dt>${name}</dt><dd>${text ?? '–'}</dd></div>`)}</dl>`;
}

function ScriptTags({ script, onChange, refusal }) {
  const attached = script.tags;
  const change = async (method, tag, next) => {
    onChange({ ...script, tags: next });
    try {
      await request(method, `/api/library/scripts/${script.id}/tags/${tag.id}`);
      await loadTags();
      // What else shows this script is fetched anew only now.
      onChange({ ...script, tags: next });
    } catch (error) {
      showError(error);
      onChange({ ...script, tags: attached });
    }
  };
  const attach = (tag) => change('POST', tag, [...attached, tag].sort((a, b) => a.name.localeCompare(b.name)));
  const rest = (tags.value ?? []).filter(({ id }) => !attached.some((each) => each.id === id));
  const items = [
    ...rest.map((tag) => ({ label: tag.name, icon: 'tag', run: () => attach(tag), testid: `attach-${tag.name}` })),
    { label: 'New tag…', icon: 'plus', run: () => askForTag(null, async (tag) => {
      await loadTags();
      await attach(tag);
    }) },
  ];
  return html`<div class="field"><span class="label" id="script-tags">Tags</span>
    <div class="line-up tags" role="group" aria-labelledby="script-tags">
      ${attached.map((tag) => html`<${Tag} key=${tag.id} ...${{ name: tag.name, color: tag.color }}
        onRemove=${refusal ? undefined : () => change('DELETE', tag, attached.filter(({ id }) => id !== tag.id))} />`)}
      ${!attached.length && html`<span class="muted">none</span>`}
      ${!refusal && html`<span data-testid="tag-attach"><${Menu} label="Put a tag on this script" icon="plus" items=${items} /></span>`}
    </div></div>`;
}
