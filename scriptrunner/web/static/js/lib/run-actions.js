/** What can be done with a run, when, and why not. */
import { postJson, request } from './api.js';
import { isActive } from './run-status.js';
import { signal } from './ui.js';

/**
 * Orders given from this page that the record does not show yet, by run id:
 * 'stopping…' until the server says that it is so.
 */
export const pending = signal(new Map());

export function setPending(id, word) {
  const next = new Map(pending.value);
  if (word) next.set(id, word);
  else next.delete(id);
  pending.value = next;
}

const FINISHED = 'This run has finished';

/** @type {{[name: string]: {label: string, icon: string, refusal: (run: any, ordered?: string) => string}}} */
export const ACTIONS = {
  stop: {
    label: 'Stop', icon: 'square',
    refusal: (run, ordered) => {
      if (!isActive(run)) return FINISHED;
      return run.phase === 'stopping' || ordered ? 'This run is being stopped already' : '';
    },
  },
  kill: {
    label: 'Kill', icon: 'skull',
    refusal: (run, ordered) => {
      if (!isActive(run)) return FINISHED;
      return ordered === 'killing…' ? 'This run is being killed already' : '';
    },
  },
  restart: {
    label: 'Restart', icon: 'rotate-cw',
    refusal: (run, ordered) => (ordered === 'restarting…' ? 'A restart is on its way' : ''),
  },
  cancel: {
    label: 'Cancel', icon: 'ban',
    refusal: (run, ordered) => ACTIONS.stop.refusal(run, ordered),
  },
  remove: {
    label: 'Delete', icon: 'trash-2',
    refusal: (run) => (isActive(run) ? 'Only finished runs can be deleted' : ''),
  },
};

const WORDS = { stop: 'stopping…', kill: 'killing…', cancel: 'cancelling…', restart: 'restarting…', remove: 'deleting…' };

const CALLS = {
  stop: (id) => postJson(`/api/runs/${id}/stop`),
  kill: (id) => postJson(`/api/runs/${id}/kill`),
  cancel: (id) => postJson(`/api/runs/${id}/cancel`),
  restart: (id) => postJson(`/api/runs/${id}/restart`),
  remove: async (id) => (await request('DELETE', `/api/runs/${id}`)).json(),
};

/** Give the order and return the server's answer; the row says what was ordered meanwhile. */
export async function perform(name, id) {
  setPending(id, WORDS[name]);
  try {
    const answer = await CALLS[name](id);
    // Stop and kill are answered when the signal has arrived; the end comes by the stream.
    if (name === 'restart' || name === 'remove') setPending(id, null);
    return answer;
  } catch (error) {
    setPending(id, null);
    throw error;
  }
}

/** Forget orders that a newer record of the run has overtaken. */
export function settle(run) {
  if (!isActive(run) && pending.peek().has(run.id)) setPending(run.id, null);
}
