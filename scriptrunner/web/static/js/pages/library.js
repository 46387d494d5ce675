/** Script Library. */
import { html } from '../lib/ui.js';
import { Heading } from '../ui/basics.js';

export const title = () => 'Script Library';

export default function Library() {
  return html`<${Heading}>Script Library<//>`;
}
