/** The level that a line of a log names, and a filter by it. Pure. */

/** Levels of Python's logging from the lowest on, with other words for the same. */
export const LEVELS = ['DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL'];
const RANKS = new Map([...LEVELS.map((each, rank) => /** @type {[string, number]} */ ([each, rank])), ['TRACE', 0], ['WARN', 2], ['FATAL', 4]]);

/** A level stands alone, in capitals or in brackets, among the first words of a line. */
const NAMED = /(?:^|[\s[(|:=,"-])(TRACE|DEBUG|INFO|WARN(?:ING)?|ERROR|CRITICAL|FATAL)(?=$|[\s\])|:,"-])/;
const BRACKETED = /[[(](trace|debug|info|warn(?:ing)?|error|critical|fatal)[\])]/i;
/** Characters of a line that are looked at: what stands later is the message. */
const HEAD = 120;

/** Place in LEVELS of the level that a line names, or -1. @param {string} text */
export function levelOf(text) {
  if (text.startsWith('Traceback (most recent call last)')) return 3;
  const head = text.slice(0, HEAD);
  const word = (NAMED.exec(head) ?? BRACKETED.exec(head))?.[1];
  return word ? RANKS.get(word.toUpperCase()) ?? -1 : -1;
}

/**
 * Keeps the lines of a level and above. A line that names none belongs to the one before it
 * in its stream, as the lines of a traceback do; such lines before the first level are left out.
 */
export class LevelFilter {
  /** @param {string} least one of LEVELS */
  constructor(least) {
    this.least = LEVELS.indexOf(least);
    /** Level that lines without one have now, by stream. @type {Map<string, number>} */
    this.current = new Map();
  }

  /** @param {string} text @param {string} stream */
  keeps(text, stream) {
    const named = levelOf(text);
    if (named >= 0) this.current.set(stream, named);
    return (this.current.get(stream) ?? -1) >= this.least;
  }
}
