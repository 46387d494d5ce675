/** Short messages at the edge of the page, read out by screen readers. */
import { html, signal } from '../lib/ui.js';
import { Icon, IconButton } from './basics.js';

const STAY_MS = { good: 6000, warn: 12000, bad: 15000 };
const ICONS = { good: 'circle-check', warn: 'triangle-alert', bad: 'circle-x' };

/** @typedef {{id: number, text: string, tone: string, link?: {href: string, text: string}}} Toast */
const toasts = signal(/** @type {Toast[]} */ ([]));
let lastId = 0;

/**
 * @param {string} text
 * @param {{tone?: 'good'|'warn'|'bad', link?: {href: string, text: string}}} [options]
 */
export function showToast(text, { tone = 'good', link } = {}) {
  lastId += 1;
  const id = lastId;
  toasts.value = [...toasts.value.slice(-3), { id, text, tone, link }];
  setTimeout(() => close(id), STAY_MS[tone]);
}

/** Show what went wrong with a call. */
export function showError(error) {
  const id = error.requestId ? ` (request ${error.requestId.slice(0, 8)})` : '';
  showToast(error.message + id, { tone: 'bad' });
}

const close = (id) => {
  toasts.value = toasts.value.filter((each) => each.id !== id);
};

export function Toasts() {
  return html`<div class="toasts" role="status" aria-live="polite">
    ${toasts.value.map(({ id, text, tone, link }) => html`
      <div class=${`toast tone-${tone}`} key=${id} data-testid="toast">
        <${Icon} name=${ICONS[tone]} />
        <span>${text}</span>
        ${link && html`<a href=${link.href}>${link.text}</a>`}
        <${IconButton} icon="x" label="Close this message" onClick=${() => close(id)} />
      </div>`)}
  </div>`;
}
