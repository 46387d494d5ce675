/** Settings. */
import { html } from '../lib/ui.js';
import { Heading } from '../ui/basics.js';

export const title = () => 'Settings';

export default function Settings() {
  return html`<${Heading}>Settings<//>`;
}
