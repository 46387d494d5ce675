/** The parts of a script's page, each fetched when it is looked at. */
import { getJson } from '../../lib/api.js';
import { href } from '../../lib/boot.js';
import { bytes, count, duration, percent, plural } from '../../lib/format.js';
import { useResource } from '../../lib/resource.js';
import { useTopic } from '../../lib/topic.js';
import { html, useState } from '../../lib/ui.js';
import { Ago, Button, Empty, Icon, RunDuration, RunStatus, ShortId } from '../../ui/basics.js';
import { CodeView } from '../../ui/code-view.js';
import { DataTable } from '../../ui/data-table.js';
import { DiffView } from '../../ui/diff-view.js';
import { Loaded } from '../../ui/states.js';
import { DuplicateGroup } from './duplicate-group.js';

/** The source with its colours, or why there is none. */
export function SourcePart({ script }) {
  const found = useResource((options) => getJson(`/api/library/scripts/${script.id}/tokens`, options), [script.id]);
  return html`<${Loaded} resource=${found} lines=${12} title="The source could not be read">${(source) => html`
    ${source.truncated && html`<p class="stale tone-info"><${Icon} name="info" />Only the beginning is shown.</p>`}
    ${source.lines.length ? html`<${CodeView} label=${`Source of ${script.name}`} lines=${source.lines} maxHeight="62vh" testid="lib-source" />`
    : html`<${Empty} icon="file-code" title="This file is empty" />`}`}<//>`;
}

/** What became of it when it ran. */
export function RunsPart({ script }) {
  const found = useResource((options) => getJson(`/api/library/scripts/${script.id}/runs`, { query: { limit: 50 }, ...options }), [script.id]);
  useTopic('runs', found.reload);
  return html`<${Loaded} resource=${found} title="The runs could not be loaded">${(answer) => (answer.items.length
    ? html`<p class="part-note" data-testid="lib-run-figures">${runFigures(answer)}</p>
      <${DataTable} label=${`Runs of ${script.name}`} columns=${RUNS} rows=${answer.items} rowKey=${({ id }) => id}
        rowProps=${({ id }) => ({ 'data-run-id': id })} testid="lib-runs" />`
    : html`<${Empty} icon="play" title="It has not run yet"><p>Its runs, their success rate and median duration will stand here.</p><//>`)}<//>`;
}

const runFigures = (answer) => [
  `${plural(answer.total, 'run')}${answer.total > answer.items.length ? `, the newest ${count(answer.items.length)} below` : ''}`,
  answer.success_rate !== null && `${percent(answer.success_rate)} succeeded`,
  answer.median_duration_seconds !== null && `median ${duration(answer.median_duration_seconds)}`,
].filter(Boolean).join(' · ');

const RUNS = [
  { key: 'status', title: 'Status', render: (run) => html`<${RunStatus} run=${run} />` },
  { key: 'id', title: 'Run', head: true, render: ({ id }) => html`<a class="mono" href=${href(`/runs/${id}/log`)}>${id.slice(0, 8)}</a>` },
  { key: 'args', title: 'Arguments', class: 'mono break', render: ({ request }) => (request?.args ?? []).join(' ') || '–' },
  { key: 'started_at', title: 'Started', class: 'nowrap', render: ({ started_at: at }) => html`<${Ago} at=${at} />` },
  { key: 'duration', title: 'Duration', num: true, class: 'nowrap', render: (run) => html`<${RunDuration} run=${run} />` },
  { key: 'sha256', title: 'Version', render: ({ script }) => html`<${ShortId} id=${script?.sha256} what="content hash" />` },
];

/** Every content it ever had, and what differs between two of them. */
export function VersionsPart({ script }) {
  const [pair, setPair] = useState(null);
  const found = useResource((options) => getJson(`/api/library/scripts/${script.id}/versions`, options), [script.id]);
  return html`<${Loaded} resource=${found} title="The versions could not be loaded">${({ versions }) => html`
    <${VersionTable} script=${script} versions=${versions} pair=${pair} onPair=${setPair} />
    ${pair && html`<${Differences} key=${pair.join()} script=${script} pair=${pair} />`}`}<//>`;
}

function VersionTable({ versions, pair, onPair }) {
  const columns = [
    { key: 'sha256', title: 'Content', head: true, render: ({ sha256, current }) => html`<${ShortId} id=${sha256} what="content hash" />${current
      && html` <span class="badge tone-good">current</span>`}` },
    { key: 'first_seen_at', title: 'First seen', class: 'nowrap', render: ({ first_seen_at: at }) => html`<${Ago} at=${at} />` },
    { key: 'last_seen_at', title: 'Last seen', class: 'nowrap', render: ({ last_seen_at: at, current }) => (current ? 'now' : html`<${Ago} at=${at} />`) },
    { key: 'size', title: 'Size', num: true, render: ({ size }) => (size === null ? '–' : bytes(size)) },
    { key: 'runs', title: 'Runs', num: true, render: ({ runs }) => count(runs) },
    { key: 'compare', title: '', class: 'actions', render: (version) => html`<${CompareButton} version=${version} versions=${versions} pair=${pair}
      onPair=${onPair} />` },
  ];
  return html`<p class="part-note">${plural(versions.length, 'version')} seen by scans and runs.</p>
    <${DataTable} label="Versions" columns=${columns} rows=${versions} rowKey=${({ sha256 }) => sha256} testid="lib-versions" />`;
}

/** Compares a version with the one before it. */
function CompareButton({ version, versions, pair, onPair }) {
  const before = versions[versions.indexOf(version) + 1];
  if (!before) return null;
  const isShown = pair?.[1] === version.sha256;
  const refusal = !version.available || !before.available ? 'The text of one of them was not kept' : '';
  return html`<${Button} compact=${true} icon="git-compare" label="What changed" kind=${isShown ? 'on' : ''} aria-pressed=${String(isShown)} refusal=${refusal}
    onClick=${() => onPair(isShown ? null : [before.sha256, version.sha256])} data-testid="version-diff" />`;
}

function Differences({ script, pair: [from, to] }) {
  const found = useResource((options) => getJson(`/api/library/scripts/${script.id}/diff`, { query: { from, to }, ...options }), [script.id, from, to]);
  return html`<${Loaded} resource=${found} title="The difference could not be made">${(answer) => html`
    <${DiffView} diff=${answer.diff} truncated=${answer.truncated} label=${`What changed from ${from.slice(0, 8)} to ${to.slice(0, 8)}`} testid="lib-diff" />`}<//>`;
}

/** Groups of all rules that hold a script; a group that two rules find is told once, by the stricter one. */
async function loadDuplicates(id, options) {
  const groups = await getJson('/api/library/duplicates', { query: { rule: 'all' }, ...options });
  const order = ['exact', 'name', 'near'];
  const seen = new Set();
  return groups.sort((a, b) => order.indexOf(a.rule) - order.indexOf(b.rule)).filter(({ ids }) => {
    const key = [...ids].sort().join();
    return ids.includes(id) && !seen.has(key) && seen.add(key);
  });
}

/** Other scripts that are like it. */
export function DuplicatesPart({ script }) {
  const found = useResource((options) => loadDuplicates(script.id, options), [script.id]);
  return html`<${Loaded} resource=${found} title="The duplicates could not be found">${(mine) => {
    return mine.length ? html`<div class="stack">${mine.map((group, index) => html`<${DuplicateGroup} key=${index} group=${group} self=${script.id} />`)}</div>`
      : html`<${Empty} icon="copy" title="No duplicates"><p>No other script has its name, size and number of lines, its bytes, or most of its lines.</p><//>`;
  }}<//>`;
}
