/** Launch a run. */
import { html } from '../lib/ui.js';
import { Heading } from '../ui/basics.js';

export const title = () => 'Launch a run';

export default function Launch() {
  return html`<${Heading}>Launch a run<//>`;
}
