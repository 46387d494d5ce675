/** Access tokens: who may come in from elsewhere. */
import { getJson, me, postJson, request } from '../lib/api.js';
import { copyText } from '../lib/clipboard.js';
import { plural } from '../lib/format.js';
import { useResource } from '../lib/resource.js';
import { html, useState } from '../lib/ui.js';
import { Ago, Button, Card, Empty } from '../ui/basics.js';
import { DataTable } from '../ui/data-table.js';
import { closeDialog, confirm, openDialog } from '../ui/dialog.js';
import { PageHead, SystemTabs } from '../ui/page-head.js';
import { lacking, Loaded } from '../ui/states.js';
import { showError, showToast } from '../ui/toast.js';

export const title = () => 'Access tokens';

export default function Tokens() {
  const found = useResource((options) => getJson('/api/tokens', options), []);
  return html`<${PageHead} title="Access tokens" note="Callers on this machine need none; all others send one, or log in with one." />
    <${SystemTabs} current="tokens" />
    <${Card} title="Make a token"><${MakeToken} onMade=${found.reload} /><//>
    <${Card} title="Tokens"><${Loaded} resource=${found}>${({ tokens }) => html`<${Table} tokens=${tokens} onChange=${found.reload} />`}<//><//>`;
}

const ROLES = [['admin', 'admin'], ['event', 'fires one event']];
const ENDS = [['', 'never'], ['7d', 'in 7 days'], ['30d', 'in 30 days'], ['90d', 'in 90 days'], ['365d', 'in a year'], ['date', 'on a date …']];
const DAY_MS = 86_400_000;
/** A token that ends within this time is marked. */
const SOON_MS = 7 * DAY_MS;

const tomorrow = () => new Date(Date.now() + DAY_MS).toISOString().slice(0, 10);

function MakeToken({ onMade }) {
  const [name, setName] = useState('');
  const [role, setRole] = useState('admin');
  const [event, setEvent] = useState('');
  const [end, setEnd] = useState('');
  const [date, setDate] = useState(tomorrow);
  const [busy, setBusy] = useState(false);
  const submit = async (submitted) => {
    submitted.preventDefault();
    if (busy || lacking('token.write')) return;
    setBusy(true);
    try {
      const expires = end === 'date' ? date : end;
      const made = await postJson('/api/tokens', { json: { ...(name.trim() && { name }), role, ...(role === 'event' && { event }),
        ...(expires && { expires }) } });
      setName('');
      setEvent('');
      showToken(made);
      onMade();
    } catch (error) {
      showError(error);
    }
    setBusy(false);
  };
  return html`<form class="inline-form" onSubmit=${submit}>
    <div class="field"><label for="token-name">Name</label>
      <input id="token-name" type="text" maxlength="100" placeholder="build server" value=${name} autocomplete="off"
        onInput=${({ target }) => setName(target.value)} data-testid="token-name" />
      <p class="help">For people: where it is used, so that you know what stops when you revoke it.</p></div>
    <div class="field"><label for="token-role">Role</label><select id="token-role" onChange=${({ target }) => setRole(target.value)} data-testid="token-role">
        ${ROLES.map(([each, words]) => html`<option key=${each} value=${each} selected=${each === role}>${words}</option>`)}</select>
      <p class="help">${role === 'event' ? 'For another system: it can fire this one event, and nothing else.' : 'May do everything.'}</p></div>
    ${role === 'event' && html`<div class="field"><label for="token-event">Event</label><input id="token-event" type="text" required value=${event}
      autocomplete="off" placeholder="deploy"
        onInput=${({ target }) => setEvent(target.value)} data-testid="token-event" /><p class="help">Its name, as tasks have it.</p></div>`}
    <div class="field"><label for="token-end">Expires</label><select id="token-end" onChange=${({ target }) => setEnd(target.value)} data-testid="token-end">
        ${ENDS.map(([each, words]) => html`<option key=${each} value=${each} selected=${each === end}>${words}</option>`)}</select>
      <p class="help">From then on it is refused, and logins with it end.</p></div>
    ${end === 'date' && html`<div class="field"><label for="token-date">Date</label><input id="token-date" type="date" required value=${date} min=${tomorrow()}
      onInput=${({ target }) => setDate(target.value)} data-testid="token-date" /><p class="help">It ends when this day begins, UTC.</p></div>`}
    <${Button} type="submit" kind="primary" icon="plus" label=${busy ? 'Making…' : 'Make token'} busy=${busy} refusal=${lacking('token.write')}
      data-testid="token-add" />
  </form>`;
}

/** The one time that the text is known. */
function showToken({ name, token, expires_at: end }) {
  openDialog({
    title: `Token “${name}”`,
    body: html`<div class="stack"><p>Copy it now: it is stored only as a hash and cannot be shown again.</p>
      <pre class="secret" tabindex="0" data-testid="token-text">${token}</pre>
      ${end && html`<p>It expires <${Ago} at=${end} />.</p>`}
      <p>Send it as <code>Authorization: Bearer …</code>, or paste it into the login form.</p></div>`,
    actions: html`<${Button} icon="copy" label="Copy" kind="primary" data-first-focus onClick=${() => copyText(token, 'Token')} />
      <${Button} label="Done" onClick=${closeDialog} />`,
  });
}

function Table({ tokens, onChange }) {
  if (!tokens.length) {
    return html`<${Empty} icon="key-round" title="There are no tokens">
      <p>Only callers on this machine can use the service. Make one for whatever comes from elsewhere.</p><//>`;
  }
  const rows = [...tokens].sort((a, b) => Number(b.valid) - Number(a.valid));
  const columns = [
    { key: 'name', title: 'Name', head: true, render: (token) => html`${token.name}${isOwn(token) && html` <span class="muted">(yours)</span>`}` },
    { key: 'id', title: 'Id', class: 'mono' },
    { key: 'role', title: 'May', render: ({ role, scope }) => (scope ? html`<span>fire <code>${scope}</code></span>` : role === 'admin' ? 'do everything' : role) },
    { key: 'owner', title: 'Made by', class: 'mono' },
    { key: 'created_at', title: 'Made', render: ({ created_at: at }) => html`<${Ago} at=${at} />` },
    { key: 'last_used_at', title: 'Last used', render: ({ last_used_at: at }) => (at ? html`<${Ago} at=${at} />` : 'never') },
    { key: 'expires_at', title: 'Expires', render: (token) => (token.expires_at ? html`<span class=${endsSoon(token) ? 'text-warn' : ''}><${Ago}
      at=${token.expires_at} /></span>` : 'never') },
    { key: 'valid', title: 'State', render: ({ valid, revoked }) => (valid ? html`<span class="text-good">valid</span>` : revoked ? 'revoked' : 'expired') },
    { key: 'actions', title: 'Actions', render: (token) => token.valid && html`<${Button} compact=${true} icon="ban" label="Revoke"
      refusal=${lacking('token.write')} onClick=${() => revoke(token, onChange)} title=${`Revoke ${token.name}`} data-testid="token-revoke" />` },
  ];
  return html`<${DataTable} label="Tokens" columns=${columns} rows=${rows} rowKey=${({ id }) => id}
      rowProps=${({ id, valid }) => ({ 'data-testid': 'token-row', 'data-token-id': id, class: valid ? '' : 'is-off' })} />
    <p class="card-note muted">${plural(tokens.filter(({ valid }) => valid).length, 'valid token')}. The time of the last use is at most a minute old.</p>`;
}

const endsSoon = ({ valid, expires_at: end }) => valid && Date.parse(end) - Date.now() < SOON_MS;

const isOwn = ({ id }) => me.value?.principal === `token:${id}`;

async function revoke(token, onChange) {
  const sure = await confirm({
    title: `Revoke “${token.name}”?`, confirm: 'Revoke',
    body: `Whoever uses token ${token.id} is refused at once, and logins with it end.${isOwn(token) ? ' You are logged in with it yourself.'
      : ''} This cannot be undone.`,
  });
  if (!sure) return;
  try {
    await request('DELETE', `/api/tokens/${token.id}`);
    showToast(`“${token.name}” is revoked`);
  } catch (error) {
    showError(error);
  }
  onChange();
}
