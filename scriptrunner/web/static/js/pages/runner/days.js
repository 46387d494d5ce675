/** The last fourteen days as bars beside a figure. */
import { getJson } from '../../lib/api.js';
import { count } from '../../lib/format.js';
import { html, signal, useEffect } from '../../lib/ui.js';
import { SparkBars } from '../../ui/spark.js';

const DAYS = 14;
/** Bars of days grow slowly: a look per visit of the page is enough. */
const days = signal(/** @type {object[]|null} */ (null));
let asked = /** @type {Promise<void>|null} */ (null);

/** @param {{what: 'total'|'failed'}} props */
export function Days({ what }) {
  useEffect(() => {
    asked ??= getJson('/api/stats/daily', { query: { days: DAYS } }).then((answer) => { days.value = answer.days; }, () => {})
      .finally(() => { asked = null; });
  }, []);
  if (!days.value?.some((day) => day.total)) return null;
  const label = `${what === 'total' ? 'Runs' : 'Failed runs'} of the last ${DAYS} days: ${days.value.map((day) => count(day[what])).join(', ')}`;
  return html`<span class="days push" title=${`Per day, ${days.value[0].date} to ${days.value.at(-1).date} (UTC)`}>
    <${SparkBars} label=${label} values=${days.value.map((day) => day[what])} tones=${what === 'failed' ? days.value.map(() => 'bad') : []}
      titles=${days.value.map((day) => `${day.date}: ${count(day[what])}`)} height=${18} /></span>`;
}
