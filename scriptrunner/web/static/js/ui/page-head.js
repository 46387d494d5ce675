/** Title of a page with what stands beside it, and the parts of a section as tabs. */
import { href } from '../lib/boot.js';
import { html } from '../lib/ui.js';
import { Heading } from './basics.js';
import { Tabs } from './tabs.js';

/** @param {{title: unknown, note?: unknown, children?: unknown}} props `children` are the actions on the right */
export function PageHead({ title, note, children }) {
  return html`<header class="page-head">
    <${Heading}>${title}<//>${note && html`<p class="page-note">${note}</p>`}
    ${children && html`<div class="page-actions">${children}</div>`}
  </header>`;
}

const SYSTEM = [['system', 'State'], ['settings', 'Settings'], ['tokens', 'Access tokens'], ['audit', 'Audit']];

/** The parts of the System section. */
export function SystemTabs({ current }) {
  return html`<${Tabs} label="Parts of the system" current=${current}
    tabs=${SYSTEM.map(([key, label]) => ({ key, label, href: href(`/${key}`) }))} />`;
}
