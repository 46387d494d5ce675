/** Numbers, sizes, durations and times as people read them. Pure but for the clock. */
import { zone } from './prefs.js';
import { signal } from './ui.js';

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const oneDigit = new Intl.NumberFormat('en', { minimumFractionDigits: 1, maximumFractionDigits: 1 });

/** 128440 → "128,440". */
export const count = (value) => whole.format(value);

/** "1 run", "2 runs". */
export const plural = (value, one, many = `${one}s`) => `${count(value)} ${value === 1 ? one : many}`;

/** 97.31 → "97.3 %". */
export const percent = (value) => `${oneDigit.format(value)} %`;

/** 1536 → "1.5 KiB". */
export function bytes(value) {
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];
  let step = 0;
  let rest = value;
  while (rest >= 1024 && step < units.length - 1) {
    rest /= 1024;
    step += 1;
  }
  return step ? `${oneDigit.format(rest)} ${units[step]}` : plural(value, 'byte');
}

/** Seconds → "84 ms", "2.1 s", "2 m 14 s", "3 h 05 m", "2 d 4 h". */
export function duration(seconds) {
  if (seconds === null || seconds === undefined) return '–';
  if (seconds < 0.9995) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 59.95) return `${Number.isInteger(seconds) ? seconds : oneDigit.format(seconds)} s`;
  const total = Math.round(seconds);
  const [d, h, m, s] = [Math.floor(total / 86400), Math.floor(total / 3600) % 24, Math.floor(total / 60) % 60, total % 60];
  if (d) return `${d} d ${h} h`;
  if (h) return `${h} h ${String(m).padStart(2, '0')} m`;
  return `${m} m ${String(s).padStart(2, '0')} s`;
}

/** A whole number of seconds for ticking: "14 s", "2 m 14 s". */
export const ticking = (seconds) => (seconds < 60 ? `${Math.floor(Math.max(0, seconds))} s` : duration(Math.floor(seconds)));

/**
 * Milliseconds since 1970 of an API time, or null.
 * @type {{(text: string): number, (text: string|null|undefined): number|null}}
 */
export const parseTime = /** @type {any} */ ((text) => (text ? Date.parse(text) : null));

/** The moment, renewed each second while the page is visible. */
export const now = signal(Date.now());

/** How far this browser's clock is ahead of the server's, in ms; set from answers. */
export const clockSkew = signal(0);

/** Start the clock. */
export function startClock() {
  const tick = () => {
    if (!document.hidden) now.value = Date.now() - clockSkew.value;
  };
  setInterval(tick, 1000);
  document.addEventListener('visibilitychange', tick);
}

/** "just now", "12 s ago", "3 min ago", "5 h ago", "2 d ago", and "in 12 s". */
export function relative(at, from) {
  const seconds = (from - at) / 1000;
  const size = Math.abs(seconds);
  if (size < 1.5) return 'just now';
  const text = size < 59.5 ? `${Math.round(size)} s`
    : size < 3570 ? `${Math.round(size / 60)} min`
      : size < 84600 ? `${Math.round(size / 3600)} h`
        : `${Math.round(size / 86400)} d`;
  return seconds < 0 ? `in ${text}` : `${text} ago`;
}

/** @type {Intl.DateTimeFormatOptions} */
const PARTS = { year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' };
const inZone = {
  local: new Intl.DateTimeFormat('en-CA', { ...PARTS, timeZoneName: 'short' }),
  utc: new Intl.DateTimeFormat('en-CA', { ...PARTS, timeZone: 'UTC', timeZoneName: 'short' }),
};

/** "2026-11-23 10:00:27 UTC" in the zone the reader chose. */
export function absolute(at) {
  const parts = Object.fromEntries(inZone[zone.value].formatToParts(at).map(({ type, value }) => [type, value]));
  return `${parts.year}-${parts.month}-${parts.day} ${parts.hour}:${parts.minute}:${parts.second} ${parts.timeZoneName}`;
}

/** "10:00:27" or, with milliseconds, "10:00:27.929". */
export function clockTime(at, { ms = false } = {}) {
  const text = absolute(at).slice(11, 19);
  return ms ? `${text}.${String(Math.floor(((at % 1000) + 1000) % 1000)).padStart(3, '0')}` : text;
}

/** Last component of a script's path: "upload:etl.py" and "/srv/jobs/etl.py" → "etl.py". */
export const scriptName = (path) => path.replace(/^upload:/, '').replace(/.*\//, '') || path;

/** What stands before the name: "/srv/jobs/", or "uploaded". */
export function scriptFolder(path) {
  if (path.startsWith('upload:')) return 'uploaded';
  return path.slice(0, path.length - scriptName(path).length);
}
