/** One-letter keys: what exists on this page is registered, and help lists just that. */
import { hotkeysOn } from './prefs.js';
import { signal, useLayoutEffect } from './ui.js';

/** @typedef {{keys: string, label: string, group: string, run: (event: KeyboardEvent) => void}} Hotkey */

/** All keys that work now. */
export const hotkeys = signal(/** @type {Hotkey[]} */ ([]));

/** Register keys while a component is shown. */
export function useHotkeys(list) {
  useLayoutEffect(() => {
    hotkeys.value = [...hotkeys.peek(), ...list];
    return () => {
      hotkeys.value = hotkeys.peek().filter((each) => !list.includes(each));
    };
  }, []);
}

let prefix = '';
let prefixTimer = 0;

/** Listen on the document. */
export function startHotkeys() {
  document.addEventListener('keydown', (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (!hotkeysOn.peek() || isTyping(event.target) || document.querySelector('dialog[open]')) return;
    const key = event.shiftKey && event.key.length === 1 && /\p{L}/u.test(event.key) ? `Shift ${event.key.toUpperCase()}` : event.key;
    const pressed = prefix ? `${prefix} ${key}` : key;
    const found = hotkeys.peek().findLast((each) => each.keys === pressed);
    clearTimeout(prefixTimer);
    if (found) {
      prefix = '';
      event.preventDefault();
      found.run(event);
      return;
    }
    const begins = hotkeys.peek().some((each) => each.keys.startsWith(`${key} `));
    prefix = begins && !prefix ? key : '';
    prefixTimer = setTimeout(() => {
      prefix = '';
    }, 1200);
  });
}

const isTyping = (target) => target instanceof HTMLElement
  && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName) && !/^(checkbox|radio|button|file)$/.test(/** @type {HTMLInputElement} */ (target).type ?? ''));
