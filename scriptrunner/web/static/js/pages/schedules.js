/** Schedules. */
import { html } from '../lib/ui.js';
import { Heading } from '../ui/basics.js';

export const title = () => 'Schedules';

export default function Schedules() {
  return html`<${Heading}>Schedules<//>`;
}
