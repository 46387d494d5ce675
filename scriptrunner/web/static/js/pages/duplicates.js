/** Duplicates: scripts that are alike, in groups, by three rules. */
import { getJson } from '../lib/api.js';
import { href } from '../lib/boot.js';
import { plural } from '../lib/format.js';
import { query, setQuery } from '../lib/router.js';
import { useResource } from '../lib/resource.js';
import { useTopic } from '../lib/topic.js';
import { html, useState } from '../lib/ui.js';
import { Button, Card, Empty, Segments } from '../ui/basics.js';
import { PageHead } from '../ui/page-head.js';
import { Loaded } from '../ui/states.js';
import { DuplicateGroup } from './library/duplicate-group.js';

export const title = () => 'Duplicates';

const RULES = [['name', 'Same name, size and lines'], ['exact', 'Same bytes'], ['near', 'Mostly the same lines']];
/** Groups that are shown at first, and by which more are added. */
const STEP = 50;

export default function Duplicates() {
  const rule = query.value.get('rule') ?? 'name';
  const found = useResource((options) => getJson('/api/library/duplicates', { query: { rule }, ...options }), [rule]);
  useTopic('scans', found.reload, (_, data) => data.status === 'running');
  return html`<${PageHead} title="Duplicates" note=${found.data && plural(found.data.length, 'group')}>
      <${Button} icon="arrow-left" label="Script Library" href=${href('/library')} /><//>
    <div><${Segments} label="By which rule" name="duplicate-rule" value=${rule} choices=${RULES}
      onChange=${(next) => setQuery({ rule: next === 'name' ? null : next })} /></div>
    <${Loaded} resource=${found} lines=${6} title="The duplicates could not be found">${(groups) => html`<${Groups} key=${rule} groups=${groups} />`}<//>`;
}

function Groups({ groups }) {
  const [shown, setShown] = useState(STEP);
  if (!groups.length) return html`<${Card}><${Empty} icon="copy" title="No duplicates"><p>No two scripts of the library are alike by this rule.</p><//><//>`;
  return html`<div class="stack">${groups.slice(0, shown).map((group) => html`<${DuplicateGroup} key=${group.ids.join()} group=${group} />`)}
    ${groups.length > shown && html`<div><${Button} label=${`Show ${Math.min(STEP, groups.length - shown)} more of ${groups.length}`}
      onClick=${() => setShown(shown + STEP)} /></div>`}</div>`;
}
