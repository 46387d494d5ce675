/** The smallest parts: icon, buttons, status, card, empty, skeleton, error box, times, ids. */
import { staticHref } from '../lib/boot.js';
import { absolute, duration, now, parseTime, relative, ticking } from '../lib/format.js';
import { describe } from '../lib/run-status.js';
import { classes, html, useComputed, useEffect, useErrorBoundary, useRef } from '../lib/ui.js';

const SPRITE = staticHref('icons.svg');

/** An icon of the sprite; it says nothing by itself, so it is hidden from screen readers. */
export function Icon({ name, class: extra }) {
  return html`<svg class=${classes('icon', extra)} aria-hidden="true"><use href=${`${SPRITE}#${name}`} /></svg>`;
}

/**
 * A button or, with `href`, a link that looks like one. `refusal` disables it and says why;
 * it stays reachable by keyboard, so that the reason can be read.
 */
export function Button({ icon, label, kind = '', refusal = '', href, onClick, type = 'button', title, busy, compact, ...rest }) {
  const inner = html`${icon && html`<${Icon} name=${icon} />`}${label && html`<span class="btn-label">${label}</span>`}`;
  const look = classes('btn', kind && `btn-${kind}`, compact && 'btn-compact');
  if (href) return html`<a class=${look} href=${href} title=${title} ...${rest}>${inner}</a>`;
  const guarded = (event) => {
    if (refusal || busy) event.preventDefault();
    else onClick?.(event);
  };
  return html`<button class=${look} type=${type} onClick=${guarded} title=${refusal || title}
    aria-disabled=${refusal || busy ? 'true' : undefined} aria-busy=${busy ? 'true' : undefined} ...${rest}>${inner}</button>`;
}

/** A button that is only an icon; `label` is its name and its tooltip. */
export function IconButton({ icon, label, refusal = '', onClick, ...rest }) {
  const title = refusal ? `${label}: ${refusal}` : label;
  return html`<button class="icon-btn" type="button" title=${title} aria-label=${title}
    aria-disabled=${refusal ? 'true' : undefined}
    onClick=${(event) => !refusal && onClick?.(event)} ...${rest}><${Icon} name=${icon} /></button>`;
}

/** Status of a run: icon, word and colour, then what it adds. `ordered` is an order under way. */
export function RunStatus({ run, ordered }) {
  const { word, icon, tone, detail } = describe(run);
  return html`<span class=${`status tone-${tone}`}>
    <span class="badge"><${Icon} name=${icon} class=${word === 'running' && 'spin'} /><span data-testid="run-status">${word}</span></span>
    ${(ordered || detail) && html`<span class="status-detail" data-testid="runner-status"
      data-value=${run.run_status ?? ''} title=${run.run_status ? `Result of the script: ${run.run_status}` : undefined}>${ordered || detail}</span>`}
  </span>`;
}

let headingIsAwaited = false;

/** After a change of page the first heading that appears gets the focus. */
export function startReadingAtTheTop() {
  headingIsAwaited = true;
  if (!location.hash) scrollTo(0, 0);
}

/** The one heading of a page. */
export function Heading({ children, ...rest }) {
  const element = useRef(null);
  useEffect(() => {
    if (headingIsAwaited) element.current.focus({ preventScroll: true });
    headingIsAwaited = false;
  }, []);
  return html`<h1 ref=${element} tabindex="-1" ...${rest}>${children}</h1>`;
}

/** A titled part of the page that fails alone. */
export function Card({ title, actions, class: extra, children, ...rest }) {
  const [error, retry] = useErrorBoundary((fault) => console.error(fault));
  return html`<section class=${classes('card', extra)} ...${rest}>
    ${title && html`<header class="card-head"><h2>${title}</h2>${actions}</header>`}
    ${error ? html`<${ErrorBox} error=${error} onRetry=${retry} />` : children}
  </section>`;
}

/** One choice of a few that are all in sight. `choices` are [value, label, note]. */
export function Segments({ label, name, value, choices, onChange }) {
  return html`<div class="segments" role="radiogroup" aria-label=${label}>
    ${choices.map(([each, text, note]) => html`<label key=${each} class=${classes('segment', each === value && 'is-on')}>
      <input type="radio" name=${name} value=${each} checked=${each === value} onChange=${() => onChange(each)}
        data-testid=${`${name}-${each}`} />
      <span>${text}${note && html` <small>${note}</small>`}</span></label>`)}
  </div>`;
}

/** Column heads: names, with a '#' before those of numbers. */
export function TableHead({ columns }) {
  return html`<thead><tr>${columns.map((each) => html`
    <th key=${each} scope="col" class=${each.startsWith('#') ? 'num' : ''}>${each.replace(/^#/, '')}</th>`)}</tr></thead>`;
}

/** A wide table: it scrolls by itself, by keyboard too, and never widens the page. */
export function TableBox({ label, children }) {
  return html`<div class="table-scroll" tabindex="0" role="region" aria-label=${label}>${children}</div>`;
}

/** What to say where there is nothing. */
export function Empty({ icon = 'list', title, children }) {
  return html`<div class="empty" data-testid="empty"><${Icon} name=${icon} /><h3>${title}</h3><div>${children}</div></div>`;
}

/** Grey lines for the very first load. */
export function Skeleton({ lines = 3 }) {
  return html`<div class="skeleton" data-testid="skeleton" aria-hidden="true">
    ${Array.from({ length: lines }, (_, index) => html`<div key=${index}></div>`)}
  </div>`;
}

/** A failure with its reason, its request id and a way on. */
export function ErrorBox({ error, onRetry, title = 'That did not work' }) {
  return html`<div class="error-box tone-bad" role="alert" data-testid="error-box">
    <${Icon} name="circle-x" />
    <div><strong>${title}</strong><p>${error.message}</p>
      ${error.requestId && html`<p class="muted">Request <code>${error.requestId}</code></p>`}</div>
    ${onRetry && html`<${Button} label="Try again" icon="refresh-cw" onClick=${onRetry} />`}
  </div>`;
}

/** "3 min ago"; the title has the exact time with its zone. */
export function Ago({ at }) {
  const moment = parseTime(at);
  if (moment === null) return html`<span class="muted">–</span>`;
  return html`<${LiveAgo} key=${moment} moment=${moment} iso=${at} />`;
}

function LiveAgo({ moment, iso }) {
  const text = useComputed(() => relative(moment, now.value));
  const title = useComputed(() => absolute(moment));
  return html`<time dateTime=${iso} title=${title}>${text}</time>`;
}

/** "2026-11-23 10:00:27 UTC (3 min ago)". */
export function Moment({ at }) {
  const moment = parseTime(at);
  if (moment === null) return html`<span class="muted">–</span>`;
  return html`<time dateTime=${at}>${absolute(moment)}</time> <span class="muted">(<${Ago} at=${at} />)</span>`;
}

/** Duration of a run; ticks while it runs. */
export function RunDuration({ run }) {
  if (run.status === 'running' && run.phase !== 'starting') return html`<${Ticking} key=${run.started_at} since=${parseTime(run.started_at)} />`;
  return html`<span>${run.status === 'queued' ? '–' : duration(run.duration_seconds)}</span>`;
}

function Ticking({ since }) {
  const text = useComputed(() => ticking((now.value - since) / 1000));
  return html`<span>${text}</span>`;
}

/** The first characters of an id; a click copies all of it. */
export function ShortId({ id, what, ...rest }) {
  if (!id) return html`<span class="muted">–</span>`;
  return html`<button type="button" class="short-id" title=${`${what} ${id}: click to copy`} aria-label=${`Copy ${what} ${id}`}
    onClick=${() => copy(id, what)} ...${rest}>${id.slice(0, 8)}</button>`;
}

/** Copying is rare: its code is fetched with the first copy. */
async function copy(text, what) {
  const { copyText } = await import('../lib/clipboard.js');
  copyText(text, what);
}
