/** Copy text, also where the page is served over plain http and has no clipboard. */
import { showToast } from '../ui/toast.js';

/** Copy and say so; `what` names the thing, such as "Run id". */
export async function copyText(text, what) {
  const done = await viaClipboard(text) || viaTextarea(text);
  showToast(done ? `${what} copied` : 'The browser refused to copy', { tone: done ? 'good' : 'bad' });
}

async function viaClipboard(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

function viaTextarea(text) {
  const area = document.createElement('textarea');
  area.value = text;
  area.className = 'sr-only';
  document.body.append(area);
  const before = document.activeElement;
  area.select();
  const done = document.execCommand('copy');
  area.remove();
  if (before instanceof HTMLElement) before.focus();
  return done;
}
