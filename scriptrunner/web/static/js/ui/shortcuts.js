/** The list of keys that work on this page. */
import { hotkeys } from '../lib/hotkeys.js';
import { hotkeysOn } from '../lib/prefs.js';
import { html } from '../lib/ui.js';

export function Shortcuts() {
  const groups = new Map();
  for (const each of hotkeys.value) groups.set(each.group, [...(groups.get(each.group) ?? []), each]);
  groups.get('Everywhere')?.unshift({ keys: 'Ctrl K', label: 'Search, go anywhere, run anything' });
  groups.get('Runner')?.push({ keys: 'Ctrl Enter', label: 'Start what stands in the launch form' });
  groups.get('Rows of the table')?.push({ keys: 'Enter', label: 'Open it' });
  const onSwitch = (event) => {
    hotkeysOn.value = event.target.checked;
  };
  return html`<div class="shortcuts">
    ${[...groups].map(([group, keys]) => html`<section key=${group}><h3>${group}</h3><dl>
      ${keys.map((each) => html`<${Keys} key=${each.keys} ...${each} />`)}</dl></section>`)}
    <label class="switch"><input type="checkbox" role="switch" checked=${hotkeysOn.value} onChange=${onSwitch} />
      <span>Use these keys</span></label>
  </div>`;
}

function Keys({ keys, label }) {
  return html`<div><dt>${keys.split(' ').map((each) => html`<kbd key=${each}>${each}</kbd>`)}</dt><dd>${label}</dd></div>`;
}
