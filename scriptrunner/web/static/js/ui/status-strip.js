/** The line below the tabs: what runs, what waits, and how the machine is. */
import { href } from '../lib/boot.js';
import { bytes, count, duration } from '../lib/format.js';
import { followMachine, machine, queue } from '../lib/machine.js';
import { classes, html, useEffect } from '../lib/ui.js';
import { Icon } from './basics.js';

export function StatusStrip() {
  useEffect(followMachine, []);
  const host = machine.value;
  const line = queue.value;
  if (!host || !line) return html`<div class="strip" aria-hidden="true"></div>`;
  return html`<div class="strip" data-testid="status-strip">
    <a class="strip-item" href=${href('/?status=running')}><strong>${count(line.running)}</strong> running</a>
    <a class="strip-item" href=${href('/?status=queued')} title=${waitTitle(line)}><strong>${count(line.queued)}</strong> queued</a>
    <${Fact} name="slots" value=${`${line.running}/${line.slots}`} title="Scripts that run at once, of those that may" />
    <span class="strip-rest">
      <${Fact} icon="cpu" name="load" value=${load(host)} title=${loadTitle(host)} />
      <${Fact} icon="memory-stick" name="memory" value=${memory(host.memory)} alarm=${host.memory.percent > 92} />
      <${Fact} icon="hard-drive" name="disk" value=${host.disk.percent === null ? '–' : `${Math.round(host.disk.percent)} %`}
        alarm=${!host.disk.accepting_runs} title=${diskTitle(host.disk)} />
    </span>
    ${!host.supervisor.alive && html`<a class="strip-item is-alarm" href=${href('/system')} role="status"><${Icon} name="triangle-alert" />
      the supervisor gives no sign of life</a>`}
  </div>`;
}

function Fact({ icon, name, value, title, alarm }) {
  return html`<span class=${classes('strip-item', alarm && 'is-alarm')} title=${title}>
    ${icon && html`<${Icon} name=${alarm ? 'triangle-alert' : icon} />`}${name} <strong>${value}</strong></span>`;
}

const waitTitle = (line) => (line.oldest_queued_seconds === null || line.oldest_queued_seconds === undefined ? 'Nobody waits'
  : `The first has waited ${duration(line.oldest_queued_seconds)}`);

const load = ({ cpu_load: [one], cpu_count: cores }) => `${one.toFixed(1)} on ${cores}`;
const loadTitle = ({ cpu_load: [one, five, fifteen], cpu_count: cores }) => `Tasks that want a core: ${one} now, ${five} over 5 minutes, `
  + `${fifteen} over 15 minutes, for ${cores} cores`;

function memory({ total, available }) {
  if (total === null || total === undefined) return '–';
  return `${((total - available) / 2 ** 30).toFixed(1)}/${(total / 2 ** 30).toFixed(0)} GiB`;
}

function diskTitle({ available, accepting_runs: accepting }) {
  if (available === null) return 'Not known';
  return `${bytes(available)} free on the data folder's disk${accepting ? '' : ': too little, no new runs are accepted'}`;
}
