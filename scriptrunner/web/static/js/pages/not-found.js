/** An address that leads nowhere. */
import { href } from '../lib/boot.js';
import { path } from '../lib/router.js';
import { html } from '../lib/ui.js';
import { Button, Heading } from '../ui/basics.js';

export const title = () => 'Page not found';

export default function NotFound() {
  return html`<section class="empty page-empty"><${Heading}>Page not found<//>
    <p>There is nothing at <code>${path.value}</code>.</p><${Button} href=${href('/')} label="To the Runner" kind="primary" /></section>`;
}
