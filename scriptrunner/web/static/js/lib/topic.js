/** A component that follows a topic of the stream. */
import { watch } from './live.js';
import { useEffect, useRef } from './ui.js';

/** At most one call per this time, however many changes the stream tells, in ms. */
const GATHER_MS = 600;

/**
 * Call `onChange` soon after something happened in a topic, and after each interruption of the stream.
 * @param {string} topic
 * @param {() => void} onChange
 * @param {(event: string, data: any) => boolean|void} [onEvent] may deal with an event itself, by returning true
 */
export function useTopic(topic, onChange, onEvent = () => false) {
  const latest = useRef({ onChange, onEvent });
  latest.current = { onChange, onEvent };
  useEffect(() => {
    let timer = 0;
    const soon = () => {
      timer ||= setTimeout(() => {
        timer = 0;
        latest.current.onChange();
      }, GATHER_MS);
    };
    const stop = watch(topic, {
      onEvent: (event, data) => {
        if (!latest.current.onEvent(event, data)) soon();
      },
      onResync: soon,
    });
    return () => {
      clearTimeout(timer);
      stop();
    };
  }, [topic]);
}
