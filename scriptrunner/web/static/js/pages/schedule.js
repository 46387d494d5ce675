/** Schedule. */
import { html } from '../lib/ui.js';
import { Heading } from '../ui/basics.js';

export const title = () => 'Schedule';

export default function Schedule() {
  return html`<${Heading}>Schedule<//>`;
}
