/** Analytics. */
import { html } from '../lib/ui.js';
import { Heading } from '../ui/basics.js';

export const title = () => 'Analytics';

export default function Analytics() {
  return html`<${Heading}>Analytics<//>`;
}
