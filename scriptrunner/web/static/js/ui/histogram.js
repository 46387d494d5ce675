/** How often which values occurred: bars, a sentence, and the same as a table. */
import { plural } from '../lib/format.js';
import { histogram, quantile } from '../lib/metrics.js';
import { html, useState } from '../lib/ui.js';
import { Button, TableBox, TableHead } from './basics.js';

const HEIGHT = 150;

/** @param {{values: number[], format: (value: number) => string, label: string}} props */
export function Histogram({ values, format, label }) {
  const [asTable, setAsTable] = useState(false);
  const bins = histogram(values);
  const top = Math.max(...bins.map(({ count }) => count));
  const [median, p95] = [quantile(values, 0.5), quantile(values, 0.95)];
  const sentence = `Half of ${plural(values.length, 'value')} are below ${format(median)}, 95 % below ${format(p95)}.`;
  const width = 100 / bins.length;
  return html`<figure class="chart" data-testid="an-distribution">
    ${asTable ? html`<${TableBox} label=${label}><table class="plain-table fit"><${TableHead} columns=${['From', 'To', '#Runs']} />
        <tbody>${bins.map((bin) => html`<tr key=${bin.from}><td>${format(bin.from)}</td><td>${format(bin.to)}</td><td
          class="num">${bin.count}</td></tr>`)}</tbody></table><//>`
    : html`<svg class="histogram" role="img" aria-label=${`${label}. ${sentence}`} viewBox=${`0 0 100 ${HEIGHT}`} preserveAspectRatio="none"
      width="100%" height=${HEIGHT}>
        ${bins.map((bin, index) => html`<rect key=${bin.from} x=${index * width + width * 0.06} width=${width * 0.88}
          y=${HEIGHT - (HEIGHT - 6) * (bin.count / top)} height=${(HEIGHT - 6) * (bin.count / top)}>
          <title>${`${format(bin.from)} to ${format(bin.to)}: ${plural(bin.count, 'run')}`}</title></rect>`)}</svg>
      <div class="histogram-axis" aria-hidden="true"><span>${format(bins[0].from)}</span><span>${format((bins[0].from + bins[bins.length - 1].to) / 2)}</span><span>${format(bins[bins.length - 1].to)}</span></div>`}
    <figcaption><span>${sentence}</span><${Button} compact=${true} kind="quiet" icon=${asTable ? 'chart-line' : 'table-2'} label=${asTable
      ? 'Show as chart' : 'Show as table'} onClick=${() => setAsTable(!asTable)} /></figcaption>
  </figure>`;
}
