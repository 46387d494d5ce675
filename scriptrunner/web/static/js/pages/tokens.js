/** Access tokens. */
import { html } from '../lib/ui.js';
import { Heading } from '../ui/basics.js';

export const title = () => 'Access tokens';

export default function Tokens() {
  return html`<${Heading}>Access tokens<//>`;
}
