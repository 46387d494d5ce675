/** Runner: the figures, the launch form and the runs. */
import { getJson } from '../lib/api.js';
import { href } from '../lib/boot.js';
import { count, duration, percent } from '../lib/format.js';
import { watch } from '../lib/live.js';
import { html, lazy, signal, useEffect } from '../lib/ui.js';
import { Card, ErrorBox, Heading, Skeleton } from '../ui/basics.js';
import { RunsCard } from './runner/runs-card.js';

/** The form needs the API's description anyway, which comes later than the runs. */
const LaunchCard = lazy(() => import('./runner/launch-form.js').then((module) => module.LaunchCard),
  html`<${Card} title="Launch" class="launch"><${Skeleton} lines=${2} /><//>`);

const Attention = lazy(() => import('./runner/attention.js').then((module) => module.Attention));
const Days = lazy(() => import('./runner/days.js').then((module) => module.Days));

/** At most one fetch per this time, however many runs change. */
const GATHER_MS = 800;

const stats = signal(/** @type {object|null} */ (null));
const statsError = signal(/** @type {Error|null} */ (null));

let timer = 0;
let last = 0;

async function loadStats() {
  last = Date.now();
  try {
    stats.value = await getJson('/api/stats');
    statsError.value = null;
  } catch (error) {
    statsError.value = /** @type {Error} */ (error);
  }
}

function loadSoon() {
  if (timer) return;
  timer = setTimeout(() => {
    timer = 0;
    loadStats();
  }, Math.max(0, last + GATHER_MS - Date.now()));
}

/** Keep the figures true; returns how to stop. */
function followStats() {
  loadStats();
  return watch('runs', { onEvent: loadSoon, onResync: loadSoon });
}

export const title = () => 'Runner';

export default function Runner() {
  useEffect(followStats, []);
  return html`<${Heading} class="sr-only">Runner<//>
    <${Figures} />
    <${LaunchCard} />
    <${Attention} />
    <${RunsCard} />`;
}

function Figures() {
  const now = stats.value;
  if (!now && statsError.value) return html`<${ErrorBox} error=${statsError.value} onRetry=${loadStats} title="The figures could not be loaded" />`;
  const by = now?.by_status ?? {};
  const done = (by.completed ?? 0) + (by.failed ?? 0);
  const p95 = now?.p95_duration_seconds ?? null;
  return html`<div class="figures six">
    <${Figure} label="Total runs" testid="stat-total" value=${now && count(now.total_runs)}>${now && html`<span class="desktop-only">14 days</span><${Days} what="total" />`}<//>
    <${Figure} label="Last 24 hours" testid="stat-24h" value=${now && count(now.runs_24h)}>
      ${now && html`${typeof now.success_rate_24h === 'number' ? html`<span class="nowrap">${percent(now.success_rate_24h)} succeeded</span>` : 'none finished yet'}<${Days} what="failed" />`}<//>
    <${Figure} label="Success rate" testid="stat-success" value=${now && (now.success_rate === null ? '–' : percent(now.success_rate))}>
      ${now && (done ? html`<${Share} by=${by} />${count(by.completed ?? 0)} of ${count(done)}` : 'completed ÷ (completed + failed)')}<//>
    <${Figure} label="Running" testid="stat-running" value=${now && count(by.running ?? 0)}>${now && listOf('running', by.running, 'Nothing runs now')}<//>
    <${Figure} label="Queued" testid="stat-queued" value=${now && count(by.queued ?? 0)}>${now && listOf('queued', by.queued, 'Nothing waits')}<//>
    <${Figure} label="p95 duration" testid="stat-p95" value=${now && (p95 === null ? '–' : duration(p95))}>
      ${now && (p95 === null ? 'no success yet' : html`<span title="95 % of the newest 1,000 successes took at most this long">of the newest successes</span>`)}<//>
  </div>`;
}

function Figure({ label, value, testid, children }) {
  return html`<section class="figure card"><h2>${label}</h2>
    <p class="figure-value" data-testid=${testid}>${value ?? html`<span class="skeleton-text"> </span>`}</p>
    <p class="figure-note">${children || ' '}</p></section>`;
}

/** The way to the runs of a figure, or that there are none. */
const listOf = (status, number, none) => (number ? html`<a href=${href(`/?status=${status}`)}>Show ${number > 1 ? 'them' : 'it'}</a>` : none);

/** Completed against failed as one bar; the words beside it say the same. */
function Share({ by }) {
  const done = (by.completed ?? 0) + (by.failed ?? 0);
  return html`<span class="share" aria-hidden="true"><span style=${{ width: `${(100 * (by.completed ?? 0)) / done}%` }}></span></span>`;
}
