/** Real dialogs: focus inside, Escape closes, and nothing is confirmed by accident. */
import { html, render, signal, useLayoutEffect, useRef } from '../lib/ui.js';
import { Button, IconButton } from './basics.js';

/** What is asked or shown now, or null. */
const shown = signal(null);

/**
 * @typedef {{title: string, body: unknown, actions?: unknown, wide?: boolean, bare?: string, onClose?: () => void}} DialogProps
 */

/** Show a dialog; it closes by itself only through `closeDialog`, Escape or its cross. */
export function openDialog(dialog) {
  mount();
  shown.value = dialog;
}

let mounted = false;

/** Make the place where dialogs appear; this module is loaded with the first of them. */
function mount() {
  if (mounted) return;
  mounted = true;
  const place = document.createElement('div');
  /** @type {HTMLElement} */ (document.querySelector('#overlays')).append(place);
  render(html`<${DialogHost} />`, place);
}

export function closeDialog() {
  const { onClose } = shown.peek() ?? {};
  shown.value = null;
  onClose?.();
}

/**
 * Ask before something that cannot be undone.
 * @param {{title: string, body: unknown, confirm: string, danger?: boolean}} question
 * @returns {Promise<boolean>}
 */
export function confirm({ title, body, confirm: label, danger = true }) {
  return new Promise((resolve) => {
    const answer = (value) => {
      resolve(value);
      closeDialog();
    };
    openDialog({
      title,
      body,
      onClose: () => resolve(false),
      actions: html`<${Button} label="Keep it as it is" data-first-focus onClick=${() => answer(false)} data-testid="dialog-cancel" />
        <${Button} label=${label} kind=${danger ? 'danger' : 'primary'} onClick=${() => answer(true)} data-testid="dialog-confirm" />`,
    });
  });
}

function DialogHost() {
  const dialog = shown.value;
  return dialog && html`<${Dialog} key=${dialog.title} ...${dialog} />`;
}

function Dialog({ title, body, actions, wide, bare }) {
  const element = useRef(null);
  // At once: a key that came between insertion and opening would go to the page below.
  useLayoutEffect(() => {
    const before = document.activeElement;
    const dialog = element.current;
    dialog.showModal();
    dialog.querySelector('[data-first-focus]')?.focus();
    return () => {
      dialog.close();
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  const onClick = (event) => event.target === element.current && closeDialog();
  const onCancel = (event) => {
    event.preventDefault();
    closeDialog();
  };
  if (bare) {
    return html`<dialog ref=${element} class=${`dialog ${bare}`} aria-label=${title} data-testid="dialog" onClick=${onClick} onCancel=${onCancel}>${body}</dialog>`;
  }
  return html`<dialog ref=${element} class=${wide ? 'dialog is-wide' : 'dialog'} aria-labelledby="dialog-title" data-testid="dialog" onClick=${onClick} onCancel=${onCancel}>
    <div class="dialog-inner">
      <header><h2 id="dialog-title">${title}</h2><${IconButton} icon="x" label="Close" onClick=${closeDialog} /></header>
      <div class="dialog-body">${body}</div>
      ${actions && html`<footer>${actions}</footer>`}
    </div>
  </dialog>`;
}
