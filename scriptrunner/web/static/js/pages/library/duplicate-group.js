/** Scripts that are alike: which, by what rule, and what differs between two of them. */
import { getJson } from '../../lib/api.js';
import { href } from '../../lib/boot.js';
import { bytes, plural } from '../../lib/format.js';
import { useResource } from '../../lib/resource.js';
import { html, useState } from '../../lib/ui.js';
import { Button } from '../../ui/basics.js';
import { DiffView } from '../../ui/diff-view.js';
import { Loaded } from '../../ui/states.js';

const RULES = { name: 'same name, size and lines', exact: 'same bytes', near: 'mostly the same lines' };

export function DuplicateGroup({ group, self }) {
  const [other, setOther] = useState(null);
  const base = self ?? group.ids[0];
  const isIdentical = group.identical;
  return html`<section class="duplicate card" data-testid="duplicate-group">
    <header class="card-head"><h3>${group.name}</h3>
      <span class=${`badge tone-${isIdentical ? 'good' : 'warn'}`}>${isIdentical ? 'equal contents' : 'contents differ'}</span>
      <span class="muted">${RULES[group.rule]} · ${plural(group.count, 'file')}${group.rule === 'near' ? ''
        : ` of ${bytes(group.size)}`}${group.rule === 'near' ? ` · ${Math.round(group.similarity * 100)} % alike` : ''}</span></header>
    <ul class="duplicate-list">${group.ids.map((id, index) => html`<li key=${id}>
      <a class="mono break" href=${href(`/library/${id}`)}>${group.paths[index]}</a>${id === self && html`<span class="muted"> this one</span>`}
      <span class="push"></span>
      ${id !== base && html`<${Button} compact=${true} icon="git-compare" label="Compare" kind=${other === id ? 'on' : ''} aria-pressed=${String(other === id)}
        title=${self ? 'Compare with this script' : 'Compare with the first of the group'} onClick=${() => setOther(other === id ? null : id)}
          data-testid="duplicate-compare" />`}</li>`)}</ul>
    ${other && html`<${Comparison} key=${other} base=${base} other=${other} />`}
  </section>`;
}

function Comparison({ base, other }) {
  const found = useResource((options) => getJson(`/api/library/scripts/${base}/compare/${other}`, options), [base, other]);
  return html`<${Loaded} resource=${found} title="The two could not be compared">${(answer) => html`
    <${DiffView} diff=${answer.diff} truncated=${answer.truncated} label="What differs" same="The two have the same bytes" />`}<//>`;
}
