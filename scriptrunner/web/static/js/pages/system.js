/** System. */
import { html } from '../lib/ui.js';
import { Heading } from '../ui/basics.js';

export const title = () => 'System';

export default function System() {
  return html`<${Heading}>System<//>`;
}
