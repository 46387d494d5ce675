/** Audit: who asked for what, from where, and what came of it. */
import { getJson } from '../lib/api.js';
import { href } from '../lib/boot.js';
import { count } from '../lib/format.js';
import { query, setQuery } from '../lib/router.js';
import { useResource } from '../lib/resource.js';
import { html, useState } from '../lib/ui.js';
import { Ago, Button, Card, Empty, Icon } from '../ui/basics.js';
import { DataTable } from '../ui/data-table.js';
import { Choice, Search } from '../ui/filters.js';
import { PageHead, SystemTabs } from '../ui/page-head.js';
import { Loaded } from '../ui/states.js';
import { showError } from '../ui/toast.js';

export const title = () => 'Audit';

/** Actions that can be chosen: the first part names all below it. */
const ACTIONS = [
  ['run', 'all about runs'], ['run.start', 'starts'], ['run.upload', 'uploads'], ['run.stop', 'stops and kills'], ['run.delete', 'deleted runs'],
  ['library', 'all about the library'], ['schedule', 'all about schedules'], ['analytics', 'analytics and cleanup'], ['alert', 'alerts'],
  ['token', 'tokens'], ['login', 'logins'], ['logout', 'logouts'],
];
const DECISIONS = ['allowed', 'refused', 'failed'];
const RUN_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const PAGE = 50;

export default function Audit() {
  const asked = Object.fromEntries(['action', 'decision', 'q', 'principal', 'since'].map((name) => [name, query.value.get(name) ?? '']));
  const inputs = Object.values(asked);
  const first = useResource((options) => getJson('/api/audit', { query: { ...asked, limit: PAGE }, ...options }), inputs);
  return html`<${PageHead} title="Audit" note="Lines are only added, never changed. Refusals are counted per minute." />
    <${SystemTabs} current="audit" />
    <${Card} title="Trail" actions=${html`<${Filters} asked=${asked} onReload=${first.reload} />`}>
      <${Loaded} resource=${first} lines=${8}>${(page) => html`<${Trail} key=${first.loadedAt} page=${page} asked=${asked} />`}<//><//>`;
}

function Filters({ asked, onReload }) {
  return html`<div class="filter-bar">
    <${Choice} label="Action" value=${asked.action} choices=${ACTIONS} onChange=${(action) => setQuery({ action })} testid="audit-action" />
    <${Choice} label="Outcome" value=${asked.decision} choices=${DECISIONS} onChange=${(decision) => setQuery({ decision })} testid="audit-decision" />
    <${Search} label="Search the trail" placeholder="Object, address or request id" value=${asked.q} onChange=${(q) => setQuery({ q })}
      testid="audit-search" hotkey="Search the trail" />
    ${asked.principal && html`<button type="button" class="chip is-on" title="Show everybody"
      onClick=${() => setQuery({ principal: null })}>by ${asked.principal} <${Icon} name="x" /></button>`}
    <${Button} compact=${true} icon="refresh-cw" label="Look again" onClick=${onReload} />
  </div>`;
}

function Trail({ page, asked }) {
  const [lines, setLines] = useState(page.items);
  const [next, setNext] = useState(page.next_before);
  const [busy, setBusy] = useState(false);
  const more = async () => {
    setBusy(true);
    try {
      const older = await getJson('/api/audit', { query: { ...asked, limit: PAGE, before: next } });
      setLines([...lines, ...older.items]);
      setNext(older.next_before);
    } catch (error) {
      showError(error);
    }
    setBusy(false);
  };
  if (!lines.length) {
    const filtered = Object.values(asked).some(Boolean);
    return filtered
      ? html`<${Empty} icon="search" title="No line matches"><${Button} label="Show all" onClick=${() => setQuery({ action: null, decision: null,
        q: null, principal: null, since: null })} /><//>`
      : html`<${Empty} icon="scroll-text" title="Nothing has happened yet"><p>Every start, stop, change and refusal will stand here.</p><//>`;
  }
  return html`<${DataTable} label="Audit trail" columns=${COLUMNS} rows=${lines} rowKey=${({ id }) => id} testid="audit-table"
      rowProps=${() => ({ 'data-testid': 'audit-row' })} />
    <div class="pager"><span class="muted">${count(lines.length)} lines${next ? '' : ', that is all'}</span><span class="push"></span>
      ${next && html`<${Button} compact=${true} label=${busy ? 'Loading…' : 'Older lines'} busy=${busy} onClick=${more} data-testid="audit-older" />`}</div>`;
}

const COLUMNS = [
  { key: 'at', title: 'When', class: 'nowrap', render: ({ at }) => html`<${Ago} at=${at} />` },
  { key: 'principal', title: 'Who', render: ({ principal }) => html`<button type="button" class="link-btn mono" title=${`Only what ${principal} asked for`}
    onClick=${() => setQuery({ principal })}>${principal}</button>` },
  { key: 'peer', title: 'From', class: 'mono', render: ({ peer }) => peer || '–' },
  { key: 'action', title: 'Action', class: 'mono' },
  { key: 'object', title: 'Of what', class: 'mono break', render: ({ object }) => (RUN_ID.test(object)
    ? html`<a href=${href(`/runs/${object}`)}>${object}</a>` : object || '–') },
  { key: 'decision', title: 'Outcome', render: ({ decision, count: times }) => html`<span class=${decision === 'allowed' ? 'text-good' : 'text-bad'}>
    ${decision}${times > 1 && ` (${count(times)} times)`}</span>` },
  { key: 'request_id', title: 'Request', class: 'mono', render: ({ request_id: id }) => (id ? html`<span title=${id}>${id.slice(0, 8)}</span>` : '–') },
];
