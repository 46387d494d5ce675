/** Alerts: what was triggered, whether it arrived, who has seen it; what is muted; and the channels. */
import { getJson, postJson, request } from '../lib/api.js';
import { href } from '../lib/boot.js';
import { count, plural, scriptName } from '../lib/format.js';
import { query, setQuery } from '../lib/router.js';
import { useResource } from '../lib/resource.js';
import { useTopic } from '../lib/topic.js';
import { html, useState } from '../lib/ui.js';
import { Ago, Button, Card, Empty, Icon } from '../ui/basics.js';
import { DataTable } from '../ui/data-table.js';
import { Choice, Search } from '../ui/filters.js';
import { PageHead } from '../ui/page-head.js';
import { Pager } from '../ui/pager.js';
import { lacking, Loaded } from '../ui/states.js';
import { Tabs } from '../ui/tabs.js';
import { Muted, openMute, useMutes } from './alerts/mute.js';
import { TryRule } from './alerts/try-rule.js';
import { showError, showToast } from '../ui/toast.js';

export const title = () => 'Alerts';

const SEVERITIES = { INFO: ['info', 'info'], WARNING: ['warn', 'triangle-alert'], ERROR: ['bad', 'circle-alert'], CRITICAL: ['bad', 'circle-x'] };
const DELIVERIES = { sent: ['good', 'check'], pending: ['info', 'hourglass'], failed: ['bad', 'x'], skipped: ['quiet', 'circle-minus'],
  muted: ['quiet', 'bell-off'] };
const SPANS = [['24', 'last 24 hours'], ['168', 'last 7 days'], ['720', 'last 30 days']];
const SIZE = 50;

export default function Alerts() {
  const asked = query.value.get('part');
  const part = asked in PARTS ? asked : 'list';
  const [, Part] = PARTS[part];
  const mutes = useMutes();
  const tabs = Object.entries(PARTS).map(([key, [label]]) => ({ key, label, href: href(key === 'list' ? '/alerts' : `/alerts?part=${key}`),
    note: key === 'mutes' && mutes.data && mutes.data.total > 0 ? mutes.data.total : null }));
  return html`<${PageHead} title="Alerts" note="Rules belong to the run or the task that they watch; here stands what they found." />
    <${Tabs} label="Parts of the alerts" current=${part} tabs=${tabs} />
    <${Part} key=${part} mutes=${mutes} />`;
}

const MutedPart = ({ mutes }) => html`<${Muted} found=${mutes} />`;

const PARTS = { list: ['Triggered', Triggered], mutes: ['Muted', MutedPart], channels: ['Channels', Channels], try: ['Try a rule', TryRule] };

async function loadAlerts({ script, hours, seen, delivery, page }, { signal }) {
  const since = hours ? new Date(Date.now() - Number(hours) * 3_600_000).toISOString() : null;
  const answer = await request('GET', '/api/alerts', { query: { script, since, seen: seen || null, delivery: delivery || null, limit: SIZE, offset: (page - 1) * SIZE || null }, signal });
  return { alerts: await answer.json(), total: Number(answer.headers.get('X-Total-Count')) };
}

function Triggered({ mutes }) {
  const asked = { script: query.value.get('script') ?? '', hours: query.value.get('hours') ?? '', seen: query.value.get('seen') ?? '',
    delivery: query.value.get('delivery') ?? '', page: Math.max(1,
    Number.parseInt(query.value.get('page') ?? '1', 10) || 1) };
  const found = useResource((options) => loadAlerts(asked, options), Object.values(asked));
  useTopic('alerts', found.reload);
  const filters = html`<div class="filter-bar">
    <${Choice} label="Time" all="any" value=${asked.hours} choices=${SPANS} onChange=${(hours) => setQuery({ hours, page: null })} testid="alert-since" />
    <${Choice} label="Delivery" all="any" value=${asked.delivery} choices=${Object.keys(DELIVERIES)} onChange=${(delivery) => setQuery({ delivery,
      page: null })} testid="alert-delivery" />
    <${Choice} label="Seen" all="any" value=${asked.seen} choices=${[['false', 'not yet'], ['true', 'seen']]} onChange=${(seen) => setQuery({ seen,
      page: null })} testid="alert-seen" />
    <${Search} label="Search by script" placeholder="Script" value=${asked.script} onChange=${(script) => setQuery({ script, page: null })}
      testid="alert-script" hotkey="Search the alerts" group="Alerts" /></div>`;
  return html`<${Card} title="Triggered alerts" actions=${filters}><${Loaded} resource=${found} title="The alerts could not be loaded">${({ alerts, total }) => html`
    <${List} alerts=${alerts} asked=${asked} onChange=${found.reload} onMuted=${mutes.reload} />
    <${Pager} label="Pages of alerts" page=${asked.page} size=${SIZE} shown=${alerts.length} total=${total}
      onPage=${(page) => setQuery({ page: page > 1 ? page : null })} testid="alert-page" />`}<//><//>`;
}

function List({ alerts, asked, onChange, onMuted }) {
  if (!alerts.length) {
    return asked.script || asked.hours || asked.seen || asked.delivery
      ? html`<${Empty} icon="search" title="No alert matches"><${Button} label="Show all" onClick=${() => setQuery({ script: null, hours: null, seen: null,
        delivery: null, page: null })} /><//>`
      : html`<${Empty} icon="bell" title="No alert was triggered"><p>Give a run or a task a rule such as <code>execution_time_seconds > 60</code> in its option “alerts”,
          and what it finds stands here.</p><${Button} href=${href('/launch')} label="Launch a run with a rule" /><//>`;
  }
  const columns = [
    { key: 'severity', title: 'Severity', render: ({ severity }) => html`<${Severity} severity=${severity} />` },
    { key: 'name', title: 'Rule', head: true, render: ({ name, condition, values }) => html`<span class="script-cell"><span>${name}</span>
      <span class="script-args mono break">${condition}</span><span class="muted small">${Object.entries(values).map(([metric,
        value]) => `${metric} = ${round(value)}`).join(', ')}</span></span>` },
    { key: 'run', title: 'Run', render: ({ run_id: id, script_path: path, early }) => html`<span><a
      href=${href(`/runs/${id}`)}>${scriptName(path)}</a> <small class="mono muted">${id.slice(0, 8)}</small>${early && html`<br /><small
        class="muted">while it ran</small>`}</span>` },
    { key: 'triggered_at', title: 'When', class: 'nowrap', render: ({ triggered_at: at }) => html`<${Ago} at=${at} />` },
    { key: 'deliveries', title: 'Deliveries', render: ({ deliveries }) => (deliveries.length ? html`<ul
      class="deliveries">${deliveries.map((each) => html`<${Delivery} key=${each.channel} delivery=${each} />`)}</ul>` : html`<span
        class="muted">recorded only</span>`) },
    { key: 'seen', title: 'Seen', render: (alert) => html`<${Seen} alert=${alert} onChange=${onChange} />` },
    { key: 'actions', title: '', class: 'actions', render: (alert) => html`<${Button} compact=${true} icon="bell-off" label="Mute" refusal=${lacking('alert.write')}
      title=${`Mute ${alert.name}, or all of ${scriptName(alert.script_path)}, for a time`} onClick=${() => openMute(alert, onMuted)}
        data-testid="alert-mute" />` },
  ];
  return html`<${DataTable} label="Triggered alerts" columns=${columns} rows=${alerts} rowKey=${({ id }) => id} testid="alert-table"
    rowProps=${({ id, acknowledged_at: seen }) => ({ 'data-testid': 'alert-row', 'data-alert-id': id, class: seen ? 'is-seen' : '' })} />`;
}

const round = (value) => (Number.isInteger(value) ? count(value) : Math.round(value * 1000) / 1000);

function Severity({ severity }) {
  const [tone, icon] = SEVERITIES[severity] ?? SEVERITIES.INFO;
  return html`<span class=${`status tone-${tone}`}><span class="badge"><${Icon} name=${icon} />${severity.toLowerCase()}</span></span>`;
}

function Delivery({ delivery: { channel, status, tries, error, next_try_at: next, finished_at: done } }) {
  const [tone, icon] = DELIVERIES[status] ?? DELIVERIES.pending;
  return html`<li class=${`tone-${tone}`}><span class="badge"><${Icon} name=${icon} />${channel}: ${status}</span>
    <small class="muted">${tries > 0 && plural(tries, 'try', 'tries')}${done && html` <${Ago} at=${done} />`}${status === 'pending' && next
      && html`, again <${Ago} at=${next} />`}</small>
    ${error && html`<small class=${`break ${status === 'skipped' || status === 'muted' ? 'muted' : 'text-bad'}`}>${error}</small>`}</li>`;
}

function Seen({ alert, onChange }) {
  const acknowledge = async () => {
    try {
      await postJson(`/api/alerts/${alert.id}/acknowledge`);
    } catch (error) {
      showError(error);
    }
    onChange();
  };
  if (alert.acknowledged_at) return html`<small>by <span class="mono">${alert.acknowledged_by}</span>, <${Ago} at=${alert.acknowledged_at} /></small>`;
  return html`<${Button} compact=${true} icon="eye" label="Acknowledge" refusal=${lacking('alert.write')}
    title=${`Say that you have seen ${alert.name}`} onClick=${acknowledge} data-testid="alert-acknowledge" />`;
}

function Channels() {
  const found = useResource((options) => getJson('/api/alerts/channels', options), []);
  return html`<${Card} title="Channels"><p
    class="card-note muted">Set up by the administrator in the service’s environment. A rule names them; one that is not set up is skipped, and the alert is still recorded.</p>
    <${Loaded} resource=${found} title="The channels could not be loaded">${(channels) => html`<${ChannelTable} channels=${channels} />`}<//><//>`;
}

function ChannelTable({ channels }) {
  const [outcomes, setOutcomes] = useState({});
  const test = async ({ name }) => {
    setOutcomes((before) => ({ ...before, [name]: { status: 'sending' } }));
    try {
      const outcome = await postJson(`/api/alerts/channels/${encodeURIComponent(name)}/test`);
      setOutcomes((before) => ({ ...before, [name]: outcome }));
      if (outcome.status === 'sent') showToast(`A test message went out by ${name}`);
    } catch (error) {
      setOutcomes((before) => ({ ...before, [name]: { status: 'failed', error: /** @type {Error} */ (error).message } }));
    }
  };
  const columns = [
    { key: 'name', title: 'Channel', head: true, class: 'mono' }, { key: 'kind', title: 'Kind' },
    { key: 'configured', title: 'State', render: ({ configured, problem }) => (configured ? html`<span class="text-good">set up</span>` : html`<span
      class="muted">${problem ?? 'not set up'}</span>`) },
    { key: 'outcome', title: 'Last test', render: ({ name }) => html`<${Outcome} outcome=${outcomes[name]} />` },
    { key: 'actions', title: '', class: 'actions', render: (channel) => html`<${Button} compact=${true} icon="bell" label="Send a test"
      busy=${outcomes[channel.name]?.status === 'sending'}
      refusal=${lacking('alert.write') || (channel.configured ? '' : channel.problem ?? 'It is not set up')}
        title=${`Send a test message by ${channel.name}`} onClick=${() => test(channel)} data-testid="channel-test" />` },
  ];
  return html`<${DataTable} label="Channels" columns=${columns} rows=${channels} rowKey=${({ name }) => name}
    rowProps=${({ name }) => ({ 'data-testid': 'channel-row', 'data-channel': name })} />`;
}

function Outcome({ outcome }) {
  if (!outcome) return html`<span class="muted">–</span>`;
  const tone = { sent: 'text-good', failed: 'text-bad', skipped: 'text-warn' }[outcome.status] ?? 'muted';
  return html`<span class=${tone} role="status">${outcome.status}${outcome.error && `: ${outcome.error}`}</span>`;
}
