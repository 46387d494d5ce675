/** Try gates. */
import { html } from '../lib/ui.js';
import { Heading } from '../ui/basics.js';

export const title = () => 'Try gates';

export default function Gates() {
  return html`<${Heading}>Try gates<//>`;
}
