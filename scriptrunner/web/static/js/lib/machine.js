/** State of the service and its machine, kept true by the stream for whoever shows it. */
import { getJson } from './api.js';
import { watch } from './live.js';
import { signal } from './ui.js';

/** Answer of `/api/system/status`; null before it came. */
export const machine = signal(/** @type {object|null} */ (null));
/** Its queue, which changes more often. */
export const queue = signal(/** @type {object|null} */ (null));
/** Why the status could not be loaded, or null. */
export const machineError = signal(/** @type {Error|null} */ (null));

export async function loadMachine() {
  try {
    machine.value = await getJson('/api/system/status');
    queue.value = machine.value.queue;
    machineError.value = null;
  } catch (error) {
    machineError.value = /** @type {Error} */ (error);
  }
}

let followers = 0;
let stop = () => {};

/** Keep both true until the returned function is called; many may ask, one stream brings it. */
export function followMachine() {
  followers += 1;
  if (followers === 1) {
    loadMachine();
    const ends = [
      watch('system', { onEvent: (_, data) => { machine.value = data; }, onResync: loadMachine }),
      watch('queue', { onEvent: (_, data) => { queue.value = data; } }),
    ];
    stop = () => ends.forEach((end) => end());
  }
  return () => {
    followers -= 1;
    if (!followers) stop();
  };
}
