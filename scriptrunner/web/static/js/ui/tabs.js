/** Parts of a page, each with an address of its own. */
import { html } from '../lib/ui.js';

/** @param {{label: string, current: string, tabs: {key: string, label: string, href: string, note?: unknown, tone?: string, testid?: string}[]}} props */
export function Tabs({ label, current, tabs }) {
  return html`<nav class="tabs" aria-label=${label}>
    ${tabs.map((tab) => html`<a key=${tab.key} href=${tab.href} aria-current=${tab.key === current ? 'page' : undefined}
      data-testid=${tab.testid ?? `tab-${tab.key}`}>${tab.label}${tab.note !== undefined && tab.note !== null && tab.note !== ''
        && html`<span class=${`tab-note ${tab.tone ? `tone-${tab.tone}` : ''}`}>${tab.note}</span>`}</a>`)}
  </nav>`;
}
