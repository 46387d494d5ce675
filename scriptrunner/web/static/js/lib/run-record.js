/** One run, kept true while its page is open. */
import { getJson } from './api.js';
import { watch } from './live.js';
import { settle } from './run-actions.js';
import { isActive } from './run-status.js';
import { useEffect, useRef, useState } from './ui.js';

/** While a run is active, its CPU and memory are looked at this often. */
const FIGURES_MS = 2000;

/**
 * @param {string} id
 * @returns {{run: any, error: import('./api.js').ApiError|null, reload: () => Promise<void>}}
 */
export function useRun(id) {
  const [state, setState] = useState({ run: null, error: null, gone: false });
  const running = useRef(false);
  const again = useRef(false);
  const reload = async () => {
    if (running.current) {
      again.current = true;
      return;
    }
    running.current = true;
    try {
      const run = await getJson(`/api/runs/${id}`);
      settle(run);
      setState({ run, error: null });
    } catch (failure) {
      const error = /** @type {import('./api.js').ApiError} */ (failure);
      setState((before) => ({ run: error.status === 404 ? null : before.run, error }));
    }
    running.current = false;
    if (again.current) {
      again.current = false;
      await reload();
    }
  };
  useEffect(() => {
    reload();
    return watch(`run:${id}`, { onEvent: reload, onResync: reload });
  }, [id]);
  const active = state.run !== null && isActive(state.run);
  useEffect(() => {
    if (!active) return undefined;
    const timer = setInterval(() => !document.hidden && reload(), FIGURES_MS);
    return () => clearInterval(timer);
  }, [active]);
  return { ...state, reload };
}
