/** Script. */
import { html } from '../lib/ui.js';
import { Heading } from '../ui/basics.js';

export const title = () => 'Script';

export default function Script() {
  return html`<${Heading}>Script<//>`;
}
