/** The script to run: typed, or picked from what ran lately and from the library. */
import { getJson } from '../lib/api.js';
import { scriptFolder, scriptName } from '../lib/format.js';
import { classes, html, useEffect, useRef, useState } from '../lib/ui.js';
import { common, FieldFrame } from './fields.js';

const TYPING_MS = 180;
const SHOWN = 12;

/** Scripts that ran lately, by path; fetched once per visit. */
let recent = /** @type {Promise<string[]>|null} */ (null);

async function loadRecent() {
  const runs = await getJson('/api/runs', { query: { limit: 100 } });
  return [...new Set(runs.map((run) => run.request.script_path))].filter((path) => !path.startsWith('upload:'));
}

/** What fits the typed text: recent ones first, then those of the library. */
async function suggest(text, signal) {
  recent ??= loadRecent().catch(() => []);
  const wanted = text.trim();
  const [lately, known, fuzzy] = await Promise.all([recent, searchLibrary(wanted, signal), import('../lib/fuzzy.js').catch(() => null)]);
  if (!fuzzy) return [];
  const first = fuzzy.best(lately, wanted, (path) => path, 6).map((path) => ({ path, note: 'ran lately' }));
  const taken = new Set(first.map(({ path }) => path));
  const rest = known.filter(({ path }) => !taken.has(path)).map(({ path, language, lifecycle_status: status }) => ({
    path, note: status && status !== 'active' ? status : language ?? 'library',
  }));
  return [...first, ...rest].slice(0, SHOWN);
}

async function searchLibrary(wanted, signal) {
  try {
    const { items } = await getJson('/api/library/scripts', { query: { search: wanted, language: 'Python', page_size: SHOWN }, signal });
    return items;
  } catch {
    return [];
  }
}

/** @param {{field: import('../lib/schema.js').Field, value: string|null, onChange: (value: string|null) => void, fault?: string}} props */
export function ScriptField({ field, value, onChange, fault }) {
  const [found, setFound] = useState(/** @type {{path: string, note: string}[]} */ ([]));
  const [open, setOpen] = useState(false);
  const [at, setAt] = useState(-1);
  const timer = useRef(0);
  const abort = useRef(new AbortController());
  const list = `field-${field.name}-list`;
  useEffect(() => () => {
    clearTimeout(timer.current);
    abort.current.abort();
  }, []);
  const look = (text) => {
    clearTimeout(timer.current);
    timer.current = setTimeout(async () => {
      abort.current.abort();
      abort.current = new AbortController();
      const { signal } = abort.current;
      const next = await suggest(text, signal);
      if (signal.aborted) return;
      setFound(next);
      setAt(-1);
    }, TYPING_MS);
  };
  const type = (event) => {
    onChange(event.target.value || null);
    setOpen(true);
    look(event.target.value);
  };
  const choose = (path) => {
    onChange(path);
    setOpen(false);
    setAt(-1);
  };
  const onKeyDown = (event) => {
    if (event.key === 'Escape' && open) {
      event.stopPropagation();
      setOpen(false);
    } else if (event.key === 'Enter' && open && at >= 0 && !event.ctrlKey) {
      event.preventDefault();
      choose(found[at].path);
    } else if ((event.key === 'ArrowDown' || event.key === 'ArrowUp') && found.length) {
      event.preventDefault();
      setOpen(true);
      setAt((before) => (before + (event.key === 'ArrowDown' ? 1 : before < 0 ? 0 : -1) + found.length) % found.length);
    }
  };
  const shown = open && found.length > 0;
  return html`<${FieldFrame} field=${field} fault=${fault}>
    <div class="combo">
      <input type="text" class="mono" ...${common(field, fault)} value=${value ?? ''} placeholder=${field.placeholder} spellcheck=${false} autocomplete="off"
        autocapitalize="off" required role="combobox" aria-expanded=${String(shown)} aria-controls=${list} aria-autocomplete="list"
        aria-activedescendant=${at >= 0 ? `${list}-${at}` : undefined} onInput=${type} onKeyDown=${onKeyDown}
        onFocus=${() => look(value ?? '')} onClick=${() => setOpen(true)} onBlur=${() => setTimeout(() => setOpen(false), 150)} />
      <ul id=${list} role="listbox" aria-label="Scripts" class="combo-list" hidden=${!shown}>
        ${shown && found.map(({ path, note }, index) => html`<li key=${path} id=${`${list}-${index}`} role="option" aria-selected=${String(index === at)}
          class=${classes(index === at && 'is-on')} onMouseDown=${(event) => { event.preventDefault(); choose(path); }}>
          <span class="combo-name">${scriptName(path)}</span> <span class="combo-folder mono">${scriptFolder(path)}</span><small>${note}</small></li>`)}
      </ul>
    </div><//>`;
}
