/** Lays large graphs out beside the page, so that it does not stand still. */
import { layOut } from '../lib/graph-layout.js';

self.addEventListener('message', ({ data }) => self.postMessage(layOut(data)));
