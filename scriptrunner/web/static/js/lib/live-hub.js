/**
 * One event stream for many listeners: the part that a SharedWorker runs for all tabs, or
 * a single tab for itself. It knows which topics are wanted, from which offset the stream
 * must resume, and when to reopen it. It shows nothing.
 */

/** Server-sent events are read over fetch: unlike EventSource it shows heartbeats and statuses. */

/** Nothing at all for this long, not even a heartbeat: the connection is dead. */
const SILENCE_MS = 40_000;
/** Waits before the next try; the last one is repeated. */
const BACKOFF_MS = [300, 1000, 2000, 4000, 8000];
/** Failures in a row after which tabs should poll as well. */
const POLL_AFTER = 3;
/** New topics are collected this long before the stream is reopened. */
const GATHER_MS = 30;
/** A client that has not been heard of for this long is gone. */
const CLIENT_MS = 180_000;

/** @typedef {(message: object) => void} Send */

export class LiveHub {
  /** @param {string} address of the stream, without query */
  constructor(address) {
    this.address = address;
    /** @type {Map<unknown, {send: Send, topics: {[topic: string]: number|null}, seen: number}>} */
    this.clients = new Map();
    /** Offset up to which each topic was delivered. @type {Map<string, number>} */
    this.offsets = new Map();
    /** Topics of the open stream. @type {Set<string>} */
    this.open = new Set();
    this.state = 'idle';
    this.failures = 0;
    this.timer = 0;
    this.abort = null;
    setInterval(() => this.forgetGone(), 60_000);
  }

  /**
   * Set what a client wants.
   * @param {unknown} client @param {Send} send
   * @param {{[topic: string]: number|null}} topics offset to resume from, null for "from now"
   */
  want(client, send, topics) {
    const known = this.clients.get(client)?.topics ?? {};
    this.clients.set(client, { send, topics, seen: Date.now() });
    send({ type: 'state', state: this.state });
    let reopen = this.wanted().size < this.open.size;
    for (const [topic, offset] of Object.entries(topics)) {
      if (!(topic in known) && this.needs(topic, offset)) reopen = true;
    }
    if (reopen) this.reopenSoon(GATHER_MS);
  }

  /** Note the offset of a newly wanted topic; true if the open stream does not bring it. */
  needs(topic, offset) {
    const held = this.offsets.get(topic);
    const earlier = offset !== null && (held === undefined || offset < held);
    if (earlier) this.offsets.set(topic, offset);
    return earlier || !this.open.has(topic);
  }

  /** Note that a client is still there. */
  touch(client) {
    const found = this.clients.get(client);
    if (found) found.seen = Date.now();
  }

  /** Forget a client. */
  leave(client) {
    if (this.clients.delete(client) && this.wanted().size < this.open.size) this.reopenSoon(GATHER_MS);
  }

  /** Try again at once, for example because somebody came back to a tab. */
  retry() {
    if (this.state === 'live' || this.state === 'idle') return;
    this.failures = 0;
    this.reopenSoon(0);
  }

  wanted() {
    return new Set([...this.clients.values()].flatMap(({ topics }) => Object.keys(topics)));
  }

  reopenSoon(wait) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.run(), wait);
  }

  /** Open the stream for what is wanted now and read it until it ends. */
  async run() {
    this.abort?.abort();
    const abort = new AbortController();
    this.abort = abort;
    const topics = this.wanted();
    this.open = topics;
    for (const topic of [...this.offsets.keys()]) if (!topics.has(topic)) this.offsets.delete(topic);
    if (!topics.size) {
      this.setState('idle');
      return;
    }
    const blind = [...topics].filter((topic) => !this.offsets.has(topic));
    const afterFailure = this.failures > 0;
    let watch = 0;
    const alive = () => {
      clearTimeout(watch);
      watch = setTimeout(() => abort.abort('silence'), SILENCE_MS);
    };
    if (this.state !== 'live') this.setState(this.failures >= POLL_AFTER ? 'polling' : this.failures ? 'reconnecting' : 'connecting');
    alive();
    let status = 0;
    try {
      status = await readEvents(this.query(topics), {
        abort: abort.signal,
        onBytes: alive,
        onOpen: () => {
          this.failures = 0;
          this.setState('live');
          // What changed between a page's first look and this moment was not streamed.
          this.broadcast({ type: 'resync', topics: afterFailure ? [...topics] : blind });
        },
        onEvent: (event) => this.deliver(event),
      });
    } catch { /* ended, refused or silent: all the same */ }
    clearTimeout(watch);
    if (this.abort !== abort) return;
    this.open = new Set();
    if (status === 401 || status === 403) {
      this.setState('denied');
      return;
    }
    this.failures += 1;
    this.setState(this.failures >= POLL_AFTER ? 'polling' : 'reconnecting');
    this.reopenSoon(BACKOFF_MS[Math.min(this.failures, BACKOFF_MS.length) - 1]);
  }

  query(topics) {
    const names = [...topics].map((topic) => {
      const offset = this.offsets.get(topic);
      return `topic=${encodeURIComponent(offset === undefined ? topic : `${topic}@${offset}`)}`;
    });
    return `${this.address}?${names.join('&')}`;
  }

  deliver({ event, data }) {
    const message = JSON.parse(data);
    const { topic } = message;
    if (topic !== undefined && message.offset !== undefined) {
      this.offsets.set(topic, message.next ?? message.offset);
    }
    for (const { send, topics } of this.clients.values()) {
      if (topic === undefined || topic in topics) send({ type: 'event', event, data: message });
    }
  }

  setState(state) {
    this.state = state;
    this.broadcast({ type: 'state', state });
  }

  broadcast(message) {
    for (const { send } of this.clients.values()) send(message);
  }

  forgetGone() {
    for (const [client, { seen }] of this.clients) {
      if (Date.now() - seen > CLIENT_MS) this.leave(client);
    }
  }
}

/**
 * Read one stream until it ends.
 *
 * @param {string} address
 * @param {{abort: AbortSignal, onOpen: () => void, onEvent: (event: {event: string, id: string, data: string}) => void,
 *   onBytes: () => void}} handlers `onBytes` is called for every piece, heartbeats included
 * @returns {Promise<number>} the status of the answer; 200 when a stream ended
 */
async function readEvents(address, { abort, onOpen, onEvent, onBytes }) {
  const answer = await fetch(address, { signal: abort, headers: { Accept: 'text/event-stream' }, cache: 'no-store' });
  if (!answer.ok || !answer.body) return answer.status;
  onOpen();
  const reader = answer.body.getReader();
  const decoder = new TextDecoder();
  const parser = new EventParser(onEvent);
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return answer.status;
    onBytes();
    parser.feed(decoder.decode(value, { stream: true }));
  }
}

/** The text format of server-sent events, line by line. Pure. */
export class EventParser {
  constructor(onEvent) {
    this.onEvent = onEvent;
    this.rest = '';
    this.data = /** @type {string[]} */ ([]);
    this.reset();
  }

  reset() {
    this.event = 'message';
    this.data = /** @type {string[]} */ ([]);
    this.id = '';
  }

  /** Take a piece of text, cut anywhere. */
  feed(text) {
    const lines = (this.rest + text).split('\n');
    this.rest = lines.pop() ?? '';
    for (const line of lines) this.take(line.endsWith('\r') ? line.slice(0, -1) : line);
  }

  take(line) {
    if (line === '') {
      if (this.data.length) this.onEvent({ event: this.event, id: this.id, data: this.data.join('\n') });
      this.reset();
      return;
    }
    const colon = line.indexOf(':');
    if (colon === 0) return;
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (name === 'event') this.event = value;
    else if (name === 'data') this.data.push(value);
    else if (name === 'id') this.id = value;
  }
}
