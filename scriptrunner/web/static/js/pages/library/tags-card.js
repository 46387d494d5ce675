/** The tags: made with a colour, renamed, recoloured, deleted; a click filters by one. */
import { postJson, request } from '../../lib/api.js';
import { plural } from '../../lib/format.js';
import { SWATCHES, tags } from '../../lib/library.js';
import { query, setQuery } from '../../lib/router.js';
import { classes, html, useState } from '../../lib/ui.js';
import { Button, Card, ErrorBox, IconButton } from '../../ui/basics.js';
import { closeDialog, confirm, openDialog } from '../../ui/dialog.js';
import { lacking } from '../../ui/states.js';
import { Tag } from '../../ui/tag.js';
import { showError, showToast } from '../../ui/toast.js';

export function TagsCard({ onChange }) {
  const chosen = query.value.get('tag');
  const all = tags.value ?? [];
  const add = html`<${Button} compact=${true} icon="plus" label="New tag" refusal=${lacking('library.write')} onClick=${() => askForTag(null,
    onChange)} data-testid="tag-add" />`;
  return html`<${Card} title="Tags" actions=${add}>
    ${!all.length && html`<p class="card-note muted">Coloured words to put on scripts: a team, a system, a stage.</p>`}
    <ul class="tag-list">${all.map((tag) => html`<li key=${tag.id} data-tag-id=${tag.id}>
      <button type="button" class=${classes('tag-pick', tag.name === chosen && 'is-on')} aria-pressed=${String(tag.name === chosen)}
        onClick=${() => setQuery({ tag: tag.name === chosen ? null : tag.name, page: null })}><${Tag} ...${tag} count=${tag.script_count} /></button>
      <span class="push"></span>
      <${IconButton} icon="pencil" label=${`Change the tag ${tag.name}`} refusal=${lacking('library.write')} onClick=${() => askForTag(tag, onChange)} />
      <${IconButton} icon="trash-2" label=${`Delete the tag ${tag.name}`} refusal=${lacking('library.write')} onClick=${() => removeTag(tag,
        onChange)} data-testid="tag-delete" />
    </li>`)}</ul><//>`;
}

/** Make a tag, or change one. */
export function askForTag(tag, onDone) {
  openDialog({
    title: tag ? `Change the tag “${tag.name}”` : 'New tag',
    body: html`<${TagForm} tag=${tag} onDone=${(made) => {
      closeDialog();
      onDone(made);
    }} />`,
  });
}

function TagForm({ tag, onDone }) {
  const [name, setName] = useState(tag?.name ?? '');
  const [color, setColor] = useState(tag?.color ?? SWATCHES[0]);
  const [error, setError] = useState(null);
  const [busy, setBusy] = useState(false);
  const submit = async (event) => {
    event.preventDefault();
    if (busy) return;
    setBusy(true);
    try {
      const json = { name: name.trim(), color };
      onDone(tag ? await (await request('PATCH', `/api/library/tags/${tag.id}`, { json })).json() : await postJson('/api/library/tags', { json }));
    } catch (fault) {
      setError(fault);
      setBusy(false);
    }
  };
  return html`<form class="stack" onSubmit=${submit} data-testid="tag-form">
    ${error && html`<${ErrorBox} error=${error} title="The tag was not stored" />`}
    <div class="field"><label for="tag-name">Name</label>
      <input id="tag-name" type="text" required maxlength="50" value=${name} autocomplete="off" data-first-focus
        onInput=${(event) => setName(event.target.value)} data-testid="tag-name" /></div>
    <fieldset class="field"><legend>Colour</legend><div class="swatches">
      ${SWATCHES.map((each) => html`<button key=${each} type="button" class=${classes('swatch', each === color && 'is-on')} style=${{ '--tag': each }}
        aria-label=${`Colour ${each}`} aria-pressed=${String(each === color)} onClick=${() => setColor(each)}></button>`)}
      <label class="swatch-free">other <input type="color" value=${color} aria-label="Any colour" onInput=${(event) => setColor(event.target.value)}
        data-testid="tag-color" /></label>
    </div></fieldset>
    <p class="line-up">It will look like this: <${Tag} name=${name || 'tag'} color=${color} testid="tag-preview" /></p>
    <div><${Button} type="submit" kind="primary" label=${tag ? 'Save' : 'Make tag'} busy=${busy} data-testid="tag-save" /></div></form>`;
}

async function removeTag(tag, onChange) {
  const sure = await confirm({
    title: `Delete the tag “${tag.name}”?`, confirm: 'Delete', body: `It is taken off ${plural(tag.script_count, 'script')}. The scripts stay as they are.`,
  });
  if (!sure) return;
  try {
    await request('DELETE', `/api/library/tags/${tag.id}`);
    showToast(`The tag ${tag.name} is deleted`);
    if (query.peek().get('tag') === tag.name) setQuery({ tag: null });
    onChange();
  } catch (error) {
    showError(error);
  }
}
