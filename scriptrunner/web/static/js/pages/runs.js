/** Runs. */
import { html } from '../lib/ui.js';
import { Heading } from '../ui/basics.js';

export const title = () => 'Runs';

export default function Runs() {
  return html`<${Heading}>Runs<//>`;
}
