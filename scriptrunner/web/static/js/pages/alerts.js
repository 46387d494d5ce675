/** Alerts. */
import { html } from '../lib/ui.js';
import { Heading } from '../ui/basics.js';

export const title = () => 'Alerts';

export default function Alerts() {
  return html`<${Heading}>Alerts<//>`;
}
