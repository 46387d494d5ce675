/** Audit: who asked for what, from where, and what came of it. */
import { getJson } from '../lib/api.js';
import { href } from '../lib/boot.js';
import { absolute, count, parseTime } from '../lib/format.js';
import { query, setQuery } from '../lib/router.js';
import { useResource } from '../lib/resource.js';
import { html, useRef, useState } from '../lib/ui.js';
import { Ago, Button, Card, Empty, Icon, TableBox, TableHead } from '../ui/basics.js';
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
  const timer = useRef(0);
  const type = (event) => {
    const text = event.target.value.trim();
    clearTimeout(timer.current);
    timer.current = setTimeout(() => setQuery({ q: text }), 250);
  };
  const select = (name, label, entries) => html`<select aria-label=${label} value=${asked[name]} data-testid=${`audit-${name}`}
    onChange=${(event) => setQuery({ [name]: event.target.value })}>
    <option value="" selected=${!asked[name]}>${label}</option>
    ${entries.map(([value, text]) => html`<option key=${value} value=${value} selected=${asked[name] === value}>${text}</option>`)}</select>`;
  return html`<div class="filter-bar">
    ${select('action', 'any action', ACTIONS)}
    ${select('decision', 'any outcome', DECISIONS.map((each) => [each, each]))}
    <label class="search"><${Icon} name="search" /><input type="search" placeholder="Object, address or request id" aria-label="Search the trail"
      value=${asked.q} onInput=${type} data-testid="audit-search" /></label>
    ${asked.principal && html`<button type="button" class="chip is-on" onClick=${() => setQuery({ principal: null })}>by ${asked.principal} <${Icon} name="x" /></button>`}
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
      ? html`<${Empty} icon="search" title="No line matches"><${Button} label="Show all" onClick=${() => setQuery({ action: null, decision: null, q: null, principal: null, since: null })} /><//>`
      : html`<${Empty} icon="scroll-text" title="Nothing has happened yet"><p>Every start, stop, change and refusal will stand here.</p><//>`;
  }
  return html`<${TableBox} label="Audit trail"><table class="plain-table wide-rows" data-testid="audit-table">
    <${TableHead} columns=${['When', 'Who', 'From', 'Action', 'Of what', 'Outcome', 'Request']} />
    <tbody>${lines.map((each) => html`<${Line} key=${each.id} line=${each} />`)}</tbody></table><//>
    <div class="pager"><span class="muted">${count(lines.length)} lines${next ? '' : ', that is all'}</span><span class="push"></span>
      ${next && html`<${Button} compact=${true} label=${busy ? 'Loading…' : 'Older lines'} busy=${busy} onClick=${more} data-testid="audit-older" />`}</div>`;
}

function Line({ line }) {
  const tone = line.decision === 'allowed' ? 'text-good' : 'text-bad';
  return html`<tr data-testid="audit-row">
    <td class="nowrap" title=${absolute(parseTime(line.at))}><${Ago} at=${line.at} /></td>
    <td><button type="button" class="link-btn mono" title=${`Only what ${line.principal} asked for`} onClick=${() => setQuery({ principal: line.principal })}>${line.principal}</button></td>
    <td class="mono">${line.peer}</td><td class="mono">${line.action}</td>
    <td class="break mono">${RUN_ID.test(line.object) ? html`<a href=${href(`/runs/${line.object}`)}>${line.object}</a>` : line.object || '–'}</td>
    <td class=${tone}>${line.decision}${line.count > 1 && ` (${count(line.count)} times)`}</td><td class="mono" title=${line.request_id}>${line.request_id.slice(0, 8)}</td></tr>`;
}
