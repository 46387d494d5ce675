/**
 * Live changes for this tab: pages watch topics, one stream per browser brings them.
 * Where there is no SharedWorker the tab holds a stream of its own while it is visible.
 */
import { href, staticHref } from './boot.js';
import { signal } from './ui.js';

/** 'connecting', 'live', 'reconnecting', 'polling', 'paused' or 'denied'. */
export const liveState = signal('connecting');

/** While there is no stream, look again this often. */
const POLL_MS = 5000;
/** A hidden tab without SharedWorker gives its stream back after this long. */
const HIDDEN_MS = 5000;
const HERE_MS = 30_000;
/** After this long in the background a tab looks again. */
const FROZEN_MS = 60_000;

/**
 * @typedef {object} Watcher
 * @property {string} topic
 * @property {() => number|null} offset where to resume; null for "from now"
 * @property {(event: string, data: object) => void} onEvent
 * @property {() => void} onResync fetch again: something may have been missed
 */

/** @type {Set<Watcher>} */
const watchers = new Set();
/** @type {((message: any) => void)|null} */
let tell = null;
let scheduled = false;

/**
 * Watch a topic until the returned function is called.
 * @param {string} topic
 * @param {{offset?: () => number|null, onEvent?: Watcher['onEvent'], onResync?: Watcher['onResync']}} handlers
 */
export function watch(topic, { offset = () => null, onEvent = () => {}, onResync = () => {} }) {
  const watcher = { topic, offset, onEvent, onResync };
  watchers.add(watcher);
  publish();
  return () => {
    watchers.delete(watcher);
    publish();
  };
}

/** Try to reach the server now. */
export const retryNow = () => tell?.({ type: 'retry' });

/** Tell the hub what is watched, once per turn. */
function publish() {
  if (scheduled) return;
  scheduled = true;
  queueMicrotask(() => {
    scheduled = false;
    const topics = {};
    for (const { topic, offset } of watchers) topics[topic] = offset();
    tell?.({ type: 'want', topics });
  });
}

function receive(message) {
  if (message.type === 'state') {
    if (!(document.hidden && liveState.peek() === 'paused')) liveState.value = message.state === 'idle' ? 'live' : message.state;
  } else if (message.type === 'resync') {
    for (const watcher of [...watchers]) if (message.topics.includes(watcher.topic)) watcher.onResync();
  } else {
    const { topic } = message.data;
    for (const watcher of [...watchers]) {
      if (watcher.topic !== topic) continue;
      if (message.event === 'reset') watcher.onResync();
      else watcher.onEvent(message.event, message.data);
    }
  }
}

/** Open the feed. */
export async function startLive() {
  if (!startShared()) await startOwn();
  publish();
  setInterval(() => {
    const blind = liveState.peek() === 'polling' || liveState.peek() === 'reconnecting';
    if (blind && !document.hidden) resyncAll();
  }, POLL_MS);
  let hiddenSince = 0;
  document.addEventListener('visibilitychange', () => {
    if (document.hidden) {
      hiddenSince = Date.now();
      return;
    }
    retryNow();
    publish();
    // A browser may freeze a tab; what it missed meanwhile is not sent again.
    if (Date.now() - hiddenSince > FROZEN_MS) resyncAll();
  });
}

function resyncAll() {
  for (const watcher of [...watchers]) watcher.onResync();
}

/** One stream for all tabs; false where the browser cannot. */
function startShared() {
  if (typeof SharedWorker === 'undefined') return false;
  let worker;
  try {
    worker = new SharedWorker(trustedOwnScript(staticHref('js/worker/live.js')), {
      type: 'module', name: `live ${href('/api/stream')}`,
    });
  } catch {
    return false;
  }
  const { port } = worker;
  tell = (message) => port.postMessage(message);
  port.addEventListener('message', ({ data }) => receive(data));
  port.start();
  setInterval(() => tell?.({ type: 'here' }), HERE_MS);
  addEventListener('pagehide', () => tell?.({ type: 'leave' }));
  addEventListener('pageshow', (event) => {
    if (!event.persisted) return;
    publish();
    resyncAll();
  });
  return true;
}

/** A stream of this tab alone, given back while nobody looks. */
async function startOwn() {
  const { LiveHub } = await import('./live-hub.js');
  const hub = new LiveHub(href('/api/stream'));
  const self = {};
  let wanted = {};
  let away = 0;
  tell = (message) => {
    if (message.type === 'retry') {
      hub.retry();
      return;
    }
    wanted = message.topics;
    if (!document.hidden) hub.want(self, receive, wanted);
  };
  document.addEventListener('visibilitychange', () => {
    clearTimeout(away);
    if (document.hidden) {
      away = setTimeout(() => {
        hub.leave(self);
        liveState.value = 'paused';
      }, HIDDEN_MS);
    } else if (liveState.peek() === 'paused') {
      liveState.value = 'connecting';
      hub.want(self, receive, wanted);
      resyncAll();
    }
  });
}

/** Made once: a policy's name may be taken only once. */
let policy = /** @type {any} */ (null);

/** The address of a script of ours, in the form that Trusted Types asks for. */
export function trustedOwnScript(address) {
  const types = globalThis.trustedTypes;
  if (!types) return address;
  policy ??= types.createPolicy('worker', {
    createScriptURL: (text) => {
      if (new URL(text, location.href).origin !== location.origin) throw new TypeError('not our script');
      return text;
    },
  });
  return policy.createScriptURL(address);
}
