/** The list of keys that work on this page. */
import { hotkeys } from '../lib/hotkeys.js';
import { hotkeysOn } from '../lib/prefs.js';
import { html } from '../lib/ui.js';

export function Shortcuts() {
  const groups = new Map();
  for (const each of hotkeys.value) groups.set(each.group, [...(groups.get(each.group) ?? []), each]);
  return html`<div class="shortcuts">
    ${[...groups].map(([group, keys]) => html`<section key=${group}><h3>${group}</h3><dl>
      ${keys.map((each) => html`<div key=${each.keys}><dt>${each.keys.split(' ').map((one) => html`<kbd key=${one}>${one}</kbd>`)}</dt><dd>${each.label}</dd></div>`)}
      ${group === 'Runner' && html`<div><dt><kbd>Ctrl</kbd><kbd>Enter</kbd></dt><dd>Start what stands in the launch form</dd></div>`}
    </dl></section>`)}
    <label class="switch"><input type="checkbox" role="switch" checked=${hotkeysOn.value} onChange=${(event) => { hotkeysOn.value = event.target.checked; }} /><span>Use these keys</span></label>
  </div>`;
}
