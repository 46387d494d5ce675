/** Compare two runs. */
import { html } from '../lib/ui.js';
import { Heading } from '../ui/basics.js';

export const title = () => 'Compare two runs';

export default function Compare() {
  return html`<${Heading}>Compare two runs<//>`;
}
