/**
 * ANSI colours of a terminal as pieces of text with a style. Everything else that a
 * terminal would obey (cursor moves, titles) is dropped; links to http and https stay. Pure.
 */

/**
 * @typedef {object} Style
 * @property {string} [fg] '0'…'15' for the named colours, or '#rrggbb'
 * @property {string} [bg] the same
 * @property {boolean} [bold] @property {boolean} [dim] @property {boolean} [italic]
 * @property {string} [link] address of a link, http or https
 * @property {boolean} [underline] @property {boolean} [strike] @property {boolean} [inverse]
 */

/** All that is not text; a CSI gives its parameters and its final letter. */
const ESCAPES = new RegExp([
  '\\x1b\\[([0-?]*)[ -/]*([@-~])', // CSI: colours, cursor moves
  '\\x1b\\]([^\\x07\\x1b]*)(?:\\x07|\\x1b\\\\)?', // OSC: titles, links; ended by BEL or ST
  '\\x1b[PX^_][^\\x1b]*(?:\\x1b\\\\)?', // other strings
  '\\x1b[ -/]*[0-~]?', // short escapes
  '[\\x00-\\x08\\x0b-\\x1a\\x1c-\\x1f\\x7f]', // lone control characters
].join('|'), 'g');

/** @type {Style} */
export const PLAIN = Object.freeze({});

/** Text without any escape. */
export const strip = (text) => text.replace(ESCAPES, '');

/** Whether a line needs parsing at all. */
export const hasEscapes = (text) => /[\x00-\x08\x0b-\x1f\x7f]/.test(text);

/**
 * Split a line into pieces of one style each.
 * @param {string} text @param {Style} style in force at its start
 * @returns {{pieces: {text: string, style: Style}[], style: Style}} and the style at its end
 */
export function parseLine(text, style) {
  const pieces = [];
  let from = 0;
  let now = style;
  ESCAPES.lastIndex = 0;
  for (const found of text.matchAll(ESCAPES)) {
    if (found.index > from) pieces.push({ text: text.slice(from, found.index), style: now });
    from = found.index + found[0].length;
    if (found[2] === 'm') now = applySgr(now, found[1]);
    else if (found[3]?.startsWith('8;')) now = withLink(now, found[3]);
  }
  if (from < text.length) pieces.push({ text: text.slice(from), style: now });
  return { pieces, style: now };
}

/** The style after an OSC 8, such as '8;;address'; an empty or foreign address ends a link. */
function withLink({ link: _ = '', ...style }, order) {
  const address = order.slice(order.indexOf(';', 2) + 1);
  if (/^https?:\/\//i.test(address)) return { ...style, link: address };
  return Object.keys(style).length ? style : PLAIN;
}

/** The style after "select graphic rendition" with `codes`, such as '1;31'. */
export function applySgr(style, codes) {
  const numbers = codes.split(/[;:]/).map((each) => Number.parseInt(each || '0', 10));
  let next = { ...style };
  for (let at = 0; at < numbers.length; at += 1) {
    const code = numbers[at];
    if (code === 0) next = style.link ? { link: style.link } : {};
    else if (code === 38 || code === 48) {
      const [colour, used] = extended(numbers.slice(at + 1));
      if (colour) next[code === 38 ? 'fg' : 'bg'] = colour;
      at += used;
    } else Object.assign(next, simple(code));
  }
  return Object.keys(next).some((each) => next[each]) ? next : PLAIN;
}

const FLAGS = {
  1: { bold: true }, 2: { dim: true }, 3: { italic: true }, 4: { underline: true }, 7: { inverse: true }, 9: { strike: true },
  22: { bold: false, dim: false }, 23: { italic: false }, 24: { underline: false }, 27: { inverse: false }, 29: { strike: false },
  39: { fg: undefined }, 49: { bg: undefined },
};

function simple(code) {
  if (code >= 30 && code <= 37) return { fg: String(code - 30) };
  if (code >= 90 && code <= 97) return { fg: String(code - 82) };
  if (code >= 40 && code <= 47) return { bg: String(code - 40) };
  if (code >= 100 && code <= 107) return { bg: String(code - 92) };
  return FLAGS[code] ?? {};
}

/** Colour of "5;n" or "2;r;g;b", and how many numbers that took. @returns {[string|null, number]} */
function extended([kind, ...rest]) {
  if (kind === 5) return [palette(rest[0]), 2];
  if (kind === 2) return [hex(rest.slice(0, 3)), 4];
  return [null, 0];
}

/** Colour n of the 256: 16 named, a cube of 6×6×6, 24 greys. */
function palette(n) {
  if (!(n >= 0 && n <= 255)) return null;
  if (n < 16) return String(n);
  if (n >= 232) return hex(Array(3).fill(8 + (n - 232) * 10));
  const level = (step) => (step ? 55 + step * 40 : 0);
  const index = n - 16;
  return hex([level(Math.floor(index / 36)), level(Math.floor(index / 6) % 6), level(index % 6)]);
}

function hex(channels) {
  if (channels.length < 3 || channels.some((each) => !(each >= 0 && each <= 255))) return null;
  return `#${channels.map((each) => each.toString(16).padStart(2, '0')).join('')}`;
}

/** Class names and, for free colours, CSS properties of a style. */
export function looks(style) {
  const names = [];
  const css = {};
  const [fg, bg] = style.inverse ? [style.bg ?? 'bg', style.fg ?? 'fg'] : [style.fg, style.bg];
  for (const [which, colour] of [['fg', fg], ['bg', bg]]) {
    if (!colour) continue;
    if (colour.startsWith('#')) {
      css[`--ansi-${which}`] = colour;
      names.push(`ansi-${which}-free`);
    } else names.push(`ansi-${which}-${colour}`);
  }
  for (const flag of ['bold', 'dim', 'italic', 'underline', 'strike']) if (style[flag]) names.push(`ansi-${flag}`);
  return { className: names.join(' '), css };
}
