/** Settings: what this browser remembers, and what the server runs with. */
import { getJson } from '../lib/api.js';
import { absolute, now } from '../lib/format.js';
import { density, hotkeysOn, pageSize, theme, zone } from '../lib/prefs.js';
import { useResource } from '../lib/resource.js';
import { html, useState } from '../lib/ui.js';
import { Button, Card, Empty, Segments } from '../ui/basics.js';
import { DataTable } from '../ui/data-table.js';
import { Search } from '../ui/filters.js';
import { PageHead, SystemTabs } from '../ui/page-head.js';
import { PAGE_SIZES } from '../ui/pager.js';
import { Loaded } from '../ui/states.js';

export const title = () => 'Settings';

export default function Settings() {
  return html`<${PageHead} title="Settings" /><${SystemTabs} current="settings" />
    <${Card} title="This browser"><${Choices} /><//>
    <${Server} />`;
}

function Choices() {
  const set = (signal) => (value) => {
    signal.value = value;
  };
  return html`<div class="settings" data-testid="settings-browser">
    <${Setting} name="Theme" help="“System” follows what the device asks for.">
      <${Segments} label="Theme" name="set-theme" value=${theme.value} onChange=${set(theme)}
        choices=${[['system', 'System'], ['light', 'Light'], ['dark', 'Dark']]} /><//>
    <${Setting} name="Time zone" help=${html`Of absolute times. It is now ${absolute(now.value)}.`}>
      <${Segments} label="Time zone" name="set-zone" value=${zone.value} onChange=${set(zone)} choices=${[['local', 'Mine'], ['utc', 'UTC']]} /><//>
    <${Setting} name="Density" help="Compact rows show more on a large screen.">
      <${Segments} label="Density" name="set-density" value=${density.value} onChange=${set(density)}
        choices=${[['comfortable', 'Comfortable'], ['compact', 'Compact']]} /><//>
    <${Setting} name="Rows of a table" help="Of one page of runs.">
      <${Segments} label="Rows of a table" name="set-rows" value=${String(pageSize.value)} onChange=${(text) => set(pageSize)(Number(text))}
        choices=${PAGE_SIZES.map((each) => [String(each), String(each)])} /><//>
    <${Setting} name="Keyboard" help=${html`One letter for what is done often; <kbd>?</kbd> lists them on each page.`}>
      <${Segments} label="Keyboard shortcuts" name="set-keys" value=${hotkeysOn.value ? 'on' : 'off'} onChange=${(text) => set(hotkeysOn)(text === 'on')}
        choices=${[['on', 'On'], ['off', 'Off']]} /><//>
  </div>`;
}

function Setting({ name, help, children }) {
  return html`<div class="setting"><div><h3>${name}</h3><p class="help">${help}</p></div>${children}</div>`;
}

function Server() {
  const found = useResource((options) => getJson('/api/settings', options), []);
  const [text, setText] = useState('');
  return html`<${Card} title="The service" actions=${html`<${Search} label="Search the settings" value=${text} onChange=${setText} testid="settings-search" />`}>
    <p class="card-note muted">Read once at start, from the environment. To change one, set the variable and start the service again.</p>
    <${Loaded} resource=${found} lines=${8}>${({ settings }) => html`<${Variables} settings=${settings} text=${text.toLowerCase()}
      onAll=${() => setText('')} />`}<//><//>`;
}

const COLUMNS = [
  { key: 'name', title: 'Variable', head: true, render: ({ name }) => html`<code>${name}</code>` },
  { key: 'value', title: 'Value in force', class: 'break', render: ({ value }) => html`<${Shown} value=${value} />` },
  { key: 'source', title: 'From', render: ({ source }) => (source === 'environment' ? html`<strong>environment</strong>` : html`<span
    class="muted">default</span>`) },
];

function Variables({ settings, text, onAll }) {
  const rows = settings.filter(({ name, value }) => `${name} ${value}`.toLowerCase().includes(text));
  if (!rows.length) return html`<${Empty} icon="search" title="No setting matches"><${Button} label="Show all" onClick=${onAll} /><//>`;
  return html`<${DataTable} label="Settings of the service" columns=${COLUMNS} rows=${rows} rowKey=${({ name }) => name} testid="settings-server" />`;
}

function Shown({ value }) {
  if (value === null || value === '' || (Array.isArray(value) && !value.length)) return html`<span class="muted">none</span>`;
  const texts = [value].flat().map(String);
  return html`<span class="mono">${texts.join(', ')}</span>`;
}
