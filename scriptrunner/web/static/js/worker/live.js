/** SharedWorker: holds the one event stream of this browser for all tabs. */
import { LiveHub } from '../lib/live-hub.js';

const hub = new LiveHub(new URL(self.name.slice('live '.length), self.location.origin).href);

self.addEventListener('connect', (event) => {
  const [port] = event.ports;
  const send = (message) => port.postMessage(message);
  port.addEventListener('message', ({ data }) => {
    if (data.type === 'want') hub.want(port, send, data.topics);
    else if (data.type === 'here') hub.touch(port);
    else if (data.type === 'retry') hub.retry();
    else if (data.type === 'leave') hub.leave(port);
  });
  port.start();
});
