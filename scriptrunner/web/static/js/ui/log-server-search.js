/** Search in a log that stays on the server: the same controls as in the page, the server's work. */
import { getJson } from '../lib/api.js';
import { count } from '../lib/format.js';
import { useEffect, useRef, useState } from '../lib/ui.js';

/** Milliseconds without a key before a search begins. */
const PAUSE_MS = 400;
/** Matches of one request; and how many are found unasked, so that they are counted. */
const LIMIT = 1000;
const UNASKED = 10_000;

/** What has been found of one search; grows with every answer. */
class Findings {
  constructor() {
    /** Numbers of the lines that match. @type {number[]} */
    this.matches = [];
    /** Lines that a filter shows, in order. @type {{number: number, text: string, cut_bytes: number}[]} */
    this.lines = [];
    /** Where to go on: '' at the beginning, null at the end. @type {string|null} */
    this.next = '';
    /** Place of the current match. */
    this.at = -1;
    this.error = /** @type {(Error & {status?: number})|null} */ (null);
    /** The request under way. @type {Promise<void>|null} */
    this.busy = null;
    this.abort = new AbortController();
  }

  take({ matches, around, next }) {
    this.matches.push(...matches.map(({ number }) => number));
    // The lines after one match may be those before the next one.
    const last = this.lines.at(-1)?.number ?? 0;
    this.lines.push(...(around.length ? around : matches).filter(({ number }) => number > last));
    this.next = next;
  }
}

/**
 * @param {{run: any, attempt: number|null, stream: string, goTo: (line: number) => void, here: () => number}} what `here` is the first line in view
 */
export function useServerSearch({ run, attempt, stream, goTo, here }) {
  const [text, setText] = useState('');
  const [how, setHow] = useState({ regex: false, matchCase: false, word: false });
  const [context, setContext] = useState(-1);
  const [level, setLevel] = useState('');
  const [, redraw] = useState({});
  const kept = useRef({ key: '', found: new Findings() });
  const filtering = Boolean(level) || (Boolean(text) && context >= 0);
  const key = JSON.stringify([run.id, attempt, stream, text, how, level, filtering && text ? Math.max(context, 0) : 0]);
  if (kept.current.key !== key) {
    kept.current.found.abort.abort();
    kept.current = { key, found: new Findings() };
  }
  const { found } = kept.current;

  const more = () => {
    found.busy ??= ask(found).finally(() => {
      found.busy = null;
      redraw({});
    });
    redraw({});
    return found.busy;
  };
  const ask = async (into) => {
    try {
      into.take(await getJson(`/api/runs/${run.id}/logs/search`, { signal: into.abort.signal, query: { stream, attempt, q: text || null,
        case: how.matchCase || null, word: how.word || null, regex: how.regex || null, level: level || null,
        context: filtering && text && context > 0 ? context : null, limit: LIMIT, after: into.next || null } }));
    } catch (error) {
      if (/** @type {Error} */ (error).name !== 'AbortError') into.error = /** @type {Error} */ (error);
    }
  };
  const isOver = () => found.next === null || found.error !== null || found.abort.signal.aborted;
  /** Look on until there is enough, or no more. */
  const moreUntil = async (enough) => {
    while (!isOver() && !enough()) await more();
  };

  useEffect(() => {
    if (!text && !level) return undefined;
    const timer = setTimeout(async () => {
      if (found.at < 0) await step(1);
      moreUntil(() => found.matches.length >= UNASKED);
    }, PAUSE_MS);
    return () => clearTimeout(timer);
  }, [key]);
  useEffect(() => () => kept.current.found.abort.abort(), []);

  /** Go to the first match from what is in view on, then to the next or the previous one. */
  const step = async (by) => {
    if (!text && !level) return;
    const { matches } = found;
    const isFirst = found.at < 0;
    const from = filtering ? 0 : here();
    if (by > 0) await moreUntil(() => (isFirst ? matches.some((line) => line >= from) : found.at + by < matches.length));
    else await moreUntil(() => matches.length > 0);
    if (!matches.length || kept.current.found !== found) return;
    const first = Math.max(0, matches.findIndex((line) => line >= from));
    found.at = isFirst && found.at < 0 ? first : (found.at + by + matches.length) % matches.length;
    redraw({});
    if (text || !isFirst) goTo(matches[found.at]);
  };
  return {
    text, setText, how, setHow, context, setContext, level, setLevel, step,
    words: text ? wordsOf(found) : '',
    error: found.error,
    isBroken: found.error?.status === 422,
    hasSteps: Boolean(text),
    current: text ? found.matches[found.at] ?? 0 : 0,
    /** Lines that are shown, null for all. */
    lines: filtering ? found.lines : null,
    isComplete: isOver(),
    /** Look on: the end of what was found comes into view. */
    lookOn: () => {
      if (!isOver() && !found.busy) more();
    },
    showAll: () => {
      setContext(-1);
      setLevel('');
    },
  };
}

/** "3 of 17", with a plus while there may be more. */
function wordsOf({ matches, at, next, error, busy }) {
  if (error) return error.status === 422 ? 'not searched' : 'failed';
  const isOver = next === null;
  if (!matches.length) return isOver ? 'no match' : busy ? 'searching…' : '';
  return `${count(Math.max(0, at) + 1)} of ${count(matches.length)}${isOver ? '' : '+'}`;
}
