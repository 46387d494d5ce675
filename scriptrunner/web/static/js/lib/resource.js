/** Data of the API as state of a component: loaded, kept while it is loaded again, never mixed up. */
import { useEffect, useRef, useState } from './ui.js';

/**
 * @template T
 * @typedef {object} Resource
 * @property {T|null} data the last answer; it stays while a newer one is on its way
 * @property {import('./api.js').ApiError|null} error why the last try failed
 * @property {boolean} loading
 * @property {number} loadedAt when `data` came, ms since 1970; 0 before
 * @property {() => Promise<void>} reload
 * @property {(data: T) => void} put replace the data, after a change that the server agreed to
 */

/**
 * Load when a component appears and whenever `keys` change.
 * @template T
 * @param {(options: {signal: AbortSignal}) => Promise<T>} load
 * @param {unknown[]} keys what the data depend on
 * @returns {Resource<T>}
 */
export function useResource(load, keys) {
  const [state, setState] = useState({ data: null, error: null, loading: true, loadedAt: 0 });
  const latest = useRef({ load, abort: new AbortController() });
  latest.current.load = load;
  const reload = async () => {
    latest.current.abort.abort();
    const abort = new AbortController();
    latest.current.abort = abort;
    setState((before) => ({ ...before, loading: true }));
    try {
      const data = await latest.current.load({ signal: abort.signal });
      if (!abort.signal.aborted) setState({ data, error: null, loading: false, loadedAt: Date.now() });
    } catch (error) {
      if (!abort.signal.aborted) setState((before) => ({ ...before, error, loading: false }));
    }
  };
  useEffect(() => {
    reload();
    return () => latest.current.abort.abort();
  }, keys);
  return { ...state, reload, put: (data) => setState({ data, error: null, loading: false, loadedAt: Date.now() }) };
}
