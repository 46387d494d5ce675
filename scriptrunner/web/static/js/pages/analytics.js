/** Analytics: how a metric of a script went, what is normal for it, benchmarks, and the history itself. */
import { getJson } from '../lib/api.js';
import { href } from '../lib/boot.js';
import { plural } from '../lib/format.js';
import { loadMetrics } from '../lib/metrics.js';
import { query } from '../lib/router.js';
import { useResource } from '../lib/resource.js';
import { html, useEffect, useState } from '../lib/ui.js';
import { Card, Skeleton } from '../ui/basics.js';
import { PageHead } from '../ui/page-head.js';
import { showError } from '../ui/toast.js';
import { AnalyticsTabs, Filters, readFilters } from './analytics/filters.js';
import { TrendPart } from './analytics/trend-part.js';

export const title = () => 'Analytics';

/** Parts that are fetched when they are looked at. */
const PARTS = {
  trend: null,
  benchmarks: () => import('./analytics/benchmarks-part.js'),
  history: () => import('./analytics/history-part.js'),
};

export default function Analytics() {
  useEffect(() => {
    loadMetrics().catch(showError);
  }, []);
  const stats = useResource((options) => getJson('/api/analytics/history/stats', options), []);
  const asked = query.value.get('part');
  const part = asked in PARTS ? asked : 'trend';
  const [loaded, setLoaded] = useState({});
  useEffect(() => {
    PARTS[part]?.().then((module) => setLoaded((before) => ({ ...before, [part]: module.default })));
  }, [part]);
  const filters = readFilters();
  const Part = part === 'trend' ? TrendPart : loaded[part];
  return html`<${PageHead} title="Analytics" note=${stats.data && summary(stats.data)} />
    <${AnalyticsTabs} current=${part} filters=${filters} />
    <${Filters} filters=${filters} withMetric=${part === 'trend'} />
    ${Part ? html`<${Part} key=${part} filters=${filters} stats=${stats} />` : html`<${Card}><${Skeleton} lines=${6} /><//>`}`;
}

function summary(stats) {
  return html`${plural(stats.total_executions, 'execution')} of ${plural(stats.unique_scripts, 'script')} in the history. <a
    href=${href('/analytics?part=history')}>All of it</a>`;
}
