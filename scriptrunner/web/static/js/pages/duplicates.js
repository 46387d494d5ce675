/** Duplicates. */
import { html } from '../lib/ui.js';
import { Heading } from '../ui/basics.js';

export const title = () => 'Duplicates';

export default function Duplicates() {
  return html`<${Heading}>Duplicates<//>`;
}
