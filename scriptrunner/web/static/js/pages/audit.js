/** Audit. */
import { html } from '../lib/ui.js';
import { Heading } from '../ui/basics.js';

export const title = () => 'Audit';

export default function Audit() {
  return html`<${Heading}>Audit<//>`;
}
