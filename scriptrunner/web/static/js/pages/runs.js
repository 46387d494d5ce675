/** Runs: the table alone, on a page of its own. */
import { html } from '../lib/ui.js';
import { Heading } from '../ui/basics.js';
import { RunsCard } from './runner/runs-card.js';

export const title = () => 'Runs';

export default function Runs() {
  return html`<${Heading} class="sr-only">Runs<//><${RunsCard} />`;
}
