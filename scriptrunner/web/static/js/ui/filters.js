/** Controls that narrow a list: search, a few choices, one of many, some of many. */
import { useHotkeys } from '../lib/hotkeys.js';
import { html, useId, useRef, useState } from '../lib/ui.js';
import { Button, Icon } from './basics.js';

/** Milliseconds after the last key before the server is asked. */
const TYPING_MS = 250;

/**
 * A search that asks while one types. `hotkey` says what the key / does on this page.
 * @param {{label: string, value: string, onChange: (text: string) => void, placeholder?: string, testid?: string, hotkey?: string, group?: string}} props
 */
export function Search({ label, value, onChange, placeholder = label, testid, hotkey, group = 'This page' }) {
  const timer = useRef(0);
  const input = useRef(null);
  const type = (event) => {
    const text = event.target.value.trim();
    clearTimeout(timer.current);
    timer.current = setTimeout(() => onChange(text), TYPING_MS);
  };
  useHotkeys(hotkey ? [{ keys: '/', label: hotkey, group, run: () => input.current?.focus() }] : []);
  return html`<label class="search"><${Icon} name="search" /><input ref=${input} type="search" placeholder=${placeholder}
    aria-label=${label} value=${value} onInput=${type} spellcheck=${false} data-testid=${testid} /></label>`;
}

/** Some of a few choices. @param {{label: string, choices: (string|[string, string])[], chosen: string[], onChange: (chosen: string[]) => void, testid?: string}} props */
export function Chips({ label, choices, chosen, onChange, testid }) {
  const toggle = (value) => onChange(chosen.includes(value) ? chosen.filter((each) => each !== value) : [...chosen, value]);
  return html`<div class="chips" role="group" aria-label=${label} data-testid=${testid}>
    ${choices.map((each) => {
    const [value, text] = Array.isArray(each) ? each : [each, each];
    const on = chosen.includes(value);
    return html`<button key=${value} type="button" class=${`chip ${on ? 'is-on' : ''}`} aria-pressed=${String(on)} data-value=${value}
        onClick=${() => toggle(value)}>${text}</button>`;
  })}</div>`;
}

/**
 * One of many, '' for all.
 * @param {{label: string, value: string, choices: (string|[string, string])[], onChange: (value: string) => void, all?: string, testid?: string}} props
 */
export function Choice({ label, value, choices, onChange, all = 'any', testid }) {
  const options = [['', `${label}: ${all}`], ...choices.map((each) => (Array.isArray(each) ? each : [each, each]))];
  return html`<select class="choice ${value ? 'is-on' : ''}" aria-label=${label} value=${value} data-testid=${testid}
    onChange=${(event) => onChange(event.target.value)}>
    ${options.map(([each, text]) => html`<option key=${each} value=${each} selected=${each === value}>${text}</option>`)}</select>`;
}

/**
 * Some of many, in a list that opens.
 * @param {{label: string, choices: (string|[string, string])[], chosen: string[], onChange: (chosen: string[]) => void, testid?: string}} props
 */
export function Several({ label, choices, chosen, onChange, testid }) {
  const id = useId();
  const [open, setOpen] = useState(false);
  const place = (event) => {
    setOpen(event.newState === 'open');
    if (event.newState !== 'open') return;
    const anchor = event.target.previousElementSibling.getBoundingClientRect();
    Object.assign(event.target.style, { left: `${Math.max(8, Math.min(anchor.left, innerWidth - 260))}px`, top: `${anchor.bottom + 4}px` });
  };
  const toggle = (value, on) => onChange(on ? [...chosen, value] : chosen.filter((each) => each !== value));
  return html`<span class="several">
    <button type="button" class="choice ${chosen.length ? 'is-on' : ''}" popovertarget=${id} aria-expanded=${String(open)} data-testid=${testid}>
      ${label}: ${chosen.length ? chosen.join(', ') : 'any'}</button>
    <div id=${id} popover="auto" class="menu-list" role="group" aria-label=${label} onToggle=${place}>
      ${open && choices.map((each) => {
    const [value, text] = Array.isArray(each) ? each : [each, each];
    return html`<label key=${value} class="several-item"><input type="checkbox" checked=${chosen.includes(value)}
          onChange=${(event) => toggle(value, event.target.checked)} data-value=${value} />${text}</label>`;
  })}
      ${open && !choices.length && html`<p class="muted several-item">Nothing to choose from</p>`}
      ${open && chosen.length > 0 && html`<${Button} compact=${true} kind="quiet" label="Clear" onClick=${() => onChange([])} />`}
    </div></span>`;
}
