/** A tag in its own colour; its text stays readable on it in both themes. */
import { html } from '../lib/ui.js';

/** @param {{name: string, color?: string|null, onRemove?: () => void, count?: number, testid?: string}} props `color` such as '#a1b2c3' */
export function Tag({ name, color, onRemove, count, testid = 'tag-chip' }) {
  return html`<span class="tag" style=${color ? { '--tag': color } : undefined} data-testid=${testid} data-tag=${name}>${name}
    ${count !== undefined && html`<span class="tag-count">${count}</span>`}
    ${onRemove && html`<button type="button" class="tag-remove" aria-label=${`Take the tag ${name} off`} onClick=${onRemove} data-testid="tag-detach">×</button>`}</span>`;
}
