/** A piece of a log's line in its style; a link of the script only where it leads to http or https. */
import { looks } from '../lib/ansi.js';
import { html } from '../lib/ui.js';

export function Piece({ text, style, hit }) {
  const { className, css } = looks(style);
  const inner = hit ? html`<mark class=${className} style=${css}>${text}</mark>`
    : className ? html`<span class=${className} style=${css}>${text}</span>` : text;
  return style.link ? html`<a href=${style.link} target="_blank" rel="noopener noreferrer" title=${style.link}>${inner}</a>` : inner;
}
