/** A button with a menu below it, in the top layer, by arrow keys too. */
import { html, useId, useLayoutEffect, useRef, useState } from '../lib/ui.js';
import { Icon, IconButton } from './basics.js';

/**
 * @param {{label: string, icon?: string, items: {label: string, icon: string, href?: string, refusal?: string,
 *   danger?: boolean, testid?: string, run?: () => void}[]}} props
 */
export function Menu({ label, icon = 'ellipsis', items }) {
  const id = useId();
  const list = useRef(null);
  const button = useRef(null);
  const [open, setOpen] = useState(false);
  const close = () => list.current.hidePopover();
  const onToggle = (event) => {
    const opening = event.newState === 'open';
    if (!opening && list.current.contains(document.activeElement)) button.current?.focus();
    setOpen(opening);
  };
  useLayoutEffect(() => {
    if (!open) return;
    place(list.current, button.current);
    list.current.querySelector('[role=menuitem]')?.focus();
  }, [open]);
  const onKeyDown = (event) => {
    const entries = [...list.current.querySelectorAll('[role=menuitem]')];
    const index = entries.indexOf(document.activeElement);
    const next = { ArrowDown: index + 1, ArrowUp: index - 1, Home: 0, End: -1 }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    entries.at(next % entries.length)?.focus();
  };
  const choose = (item) => (event) => {
    if (item.refusal) {
      event.preventDefault();
      return;
    }
    close();
    item.run?.();
  };
  return html`<span class="menu" ref=${(element) => { button.current = element?.querySelector('button') ?? null; }}>
    <${IconButton} icon=${icon} label=${label} aria-haspopup="menu" aria-expanded=${String(open)} popovertarget=${id} />
    <div id=${id} ref=${list} popover="auto" role="menu" aria-label=${label} class="menu-list" onToggle=${onToggle} onKeyDown=${onKeyDown}>
      ${open && items.map((item) => html`<${item.href && !item.refusal ? 'a' : 'button'} key=${item.label} role="menuitem"
        type=${item.href ? undefined : 'button'} href=${item.refusal ? undefined : item.href} class=${item.danger ? 'danger' : ''} tabindex="-1"
        aria-disabled=${item.refusal ? 'true' : undefined} title=${item.refusal} data-testid=${item.testid} onClick=${choose(item)}>
        <${Icon} name=${item.icon} /><span>${item.label}</span>${item.refusal && html`<small>${item.refusal}</small>`}<//>`)}
    </div>
  </span>`;
}

/** Put the list below its button, inside the window. */
function place(list, button) {
  const anchor = button.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = list;
  const below = anchor.bottom + 4 + height < innerHeight;
  list.style.left = `${Math.max(8, Math.min(anchor.right - width, innerWidth - width - 8))}px`;
  list.style.top = `${below ? anchor.bottom + 4 : Math.max(8, anchor.top - height - 4)}px`;
}
