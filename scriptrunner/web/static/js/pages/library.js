/** Script Library: folders, tags, scripts, and a look at one of them. */
import { getJson } from '../lib/api.js';
import { href } from '../lib/boot.js';
import { plural } from '../lib/format.js';
import { loadRoots, loadTags, roots, rootsAt, rootsError, takeScan } from '../lib/library.js';
import { query, setQuery } from '../lib/router.js';
import { useResource } from '../lib/resource.js';
import { useTopic } from '../lib/topic.js';
import { html, useEffect } from '../lib/ui.js';
import { Button, Card } from '../ui/basics.js';
import { PageHead } from '../ui/page-head.js';
import { lacking, Loaded } from '../ui/states.js';
import { showError } from '../ui/toast.js';
import { askForRoot, RootForm } from './library/root-form.js';
import { RootsCard } from './library/roots-card.js';
import { ScriptPreview } from './library/preview.js';
import { ScriptsCard, useScripts } from './library/scripts-card.js';
import { TagsCard } from './library/tags-card.js';

export const title = () => 'Script Library';

export default function Library() {
  const stats = useResource((options) => getJson('/api/library/stats', options), []);
  const scripts = useScripts();
  const refresh = () => {
    loadRoots();
    loadTags().catch(showError);
    stats.reload();
  };
  const refreshAll = () => {
    refresh();
    scripts.reload();
  };
  useEffect(refresh, []);
  useTopic('scans', refreshAll, (event, data) => {
    const known = event === 'scan' && takeScan(data);
    return known && data.status === 'running';
  });
  return html`<${PageHead} title="Script Library" note=${stats.data && summary(stats.data)}>
      <${Button} icon="copy" label="Duplicates" href=${href('/library/duplicates')} data-testid="lib-duplicates" />
      <${Button} icon="folder-plus" label="Add root" kind="primary" refusal=${lacking('library.admin')}
        onClick=${() => askForRoot(refreshAll)} data-testid="root-add" />
    <//>
    <${Loaded} resource=${{ data: roots.value, error: rootsError.value, loadedAt: rootsAt.value, reload: refreshAll }} lines=${6}
      title="The library could not be loaded">
      ${(all) => (all.length ? html`<${Filled} scripts=${scripts} onChange=${refreshAll} />` : html`<${FirstRoot} onAdded=${refreshAll} />`)}<//>`;
}

function summary(stats) {
  return [
    plural(stats.total_scripts, 'script'), plural(stats.total_roots, 'root'), plural(stats.total_tags, 'tag'),
    plural(stats.duplicate_groups ?? 0, 'group of duplicates', 'groups of duplicates'),
    stats.missing_scripts > 0 && `${stats.missing_scripts} missing`,
  ].filter(Boolean).join(' · ');
}

function FirstRoot({ onAdded }) {
  return html`<${Card} title="Add your first folder">
    <p class="card-note" data-testid="empty">The library lists the scripts of the folders you name: with languages, tags, owners, versions, duplicates and
      their runs. Nothing in them is changed.</p>
    <div class="card-body"><${RootForm} onAdded=${onAdded} /></div><//>`;
}

function Filled({ scripts, onChange }) {
  const shown = query.value.get('script');
  return html`<div class="side-by-side">
    <div class="stack"><${RootsCard} onChange=${onChange} /><${TagsCard} onChange=${onChange} /></div>
    <div class="stack">
      <${ScriptsCard} scripts=${scripts} shown=${shown} onChange=${onChange} />
      ${shown && html`<${ScriptPreview} key=${shown} id=${Number(shown)} onChange=${onChange} onClose=${() => setQuery({ script: null, part: null })} />`}
    </div>
  </div>`;
}
