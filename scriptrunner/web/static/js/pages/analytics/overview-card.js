/** Every script of the history in one line, those that stand out first. */
import { getJson } from '../../lib/api.js';
import { href } from '../../lib/boot.js';
import { bytes, count, duration, percent, plural, scriptName } from '../../lib/format.js';
import { setQuery } from '../../lib/router.js';
import { useResource } from '../../lib/resource.js';
import { html, useState } from '../../lib/ui.js';
import { Ago, Button, Card, Empty, Icon } from '../../ui/basics.js';
import { DataTable } from '../../ui/data-table.js';
import { Loaded } from '../../ui/states.js';

const FLAGS = { failing: ['bad', 'circle-x', 'failing'], unstable: ['warn', 'activity', 'unstable'], slower: ['warn', 'trending-up', 'slower'],
  faster: ['good', 'zap', 'faster'] };
const STEP = 25;

export function OverviewCard({ filters }) {
  const found = useResource((options) => getJson('/api/analytics/overview', { query: { days: filters.days }, ...options }), [filters.days]);
  const [shown, setShown] = useState(STEP);
  return html`<${Card} title="Scripts" data-testid="an-overview"><${Loaded} resource=${found} lines=${6} title="The overview could not be computed">${(answer) => {
    const rows = [...answer.scripts].sort((a, b) => b.flags.length - a.flags.length || b.executions - a.executions);
    if (!rows.length) return html`<${Empty} icon="chart-line" title="No runs in this time"><p>Runs stand here as soon as they are over.</p><//>`;
    return html`<p class="part-note">${plural(answer.executions, 'run')} of ${plural(answer.count, 'script')}${answer.success_rate !== null
      && `, ${percent(answer.success_rate)} successful`}; ${answer.flagged ? `${plural(answer.flagged, 'script')} to look at` : 'nothing stands out'}.</p>
      <${DataTable} label="Scripts of the history" columns=${COLUMNS} rows=${rows.slice(0, shown)} rowKey=${({ script_path: path }) => path}
        testid="an-overview-table" />
      ${rows.length > shown && html`<div class="pager"><span class="muted">${count(shown)} of ${count(rows.length)}</span><span
        class="push"></span><${Button} compact=${true} label="More" onClick=${() => setShown(shown + STEP)} /></div>`}`;
  }}<//><//>`;
}

const COLUMNS = [
  { key: 'script_path', title: 'Script', head: true, render: ({ script_path: path }) => html`<button type="button" class="link-btn" title=${path}
    onClick=${() => setQuery({ script: path })}>${scriptName(path)}</button>` },
  { key: 'flags', title: 'Stands out', render: ({ flags, recent_change_percent: change }) => flags.map((each) => {
    const [tone, icon, word] = FLAGS[each] ?? ['quiet', 'info', each];
    return html`<span key=${each} class=${`badge tone-${tone}`}><${Icon} name=${icon} />${word}${['slower', 'faster'].includes(each)
      && change !== null && ` ${Math.abs(Math.round(change))} %`}</span> `;
  }) },
  { key: 'executions', title: 'Runs', num: true, render: ({ executions }) => count(executions) },
  { key: 'success_rate', title: 'Successful', num: true, render: ({ success_rate: rate }) => percent(rate) },
  { key: 'median', title: 'Median duration', num: true, class: 'nowrap', render: ({ median_execution_time_seconds: value }) => duration(value) },
  { key: 'memory', title: 'Median memory', num: true, class: 'nowrap', render: ({ median_memory_max_mb: value }) => (value === null ? '–'
    : bytes(value * 1048576)) },
  { key: 'last', title: 'Last run', class: 'nowrap', render: ({ last_run: last }) => html`<a href=${href(`/runs/${last.run_id}`)}><span
    class=${last.success ? 'text-good' : 'text-bad'}>${last.success ? 'success' : 'failed'}</span></a> <small class="muted"><${Ago} at=${last.time} /></small>` },
];
