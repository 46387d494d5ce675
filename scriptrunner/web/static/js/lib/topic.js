/** A component that follows a topic of the stream. */
import { watch } from './live.js';
import { useEffect, useRef } from './ui.js';

/** At most one call per this time, in ms, however many changes the stream tells. */
const GATHER_MS = 600;

/**
 * Call `onChange` soon after something happened in a topic, and after each interruption of the stream.
 * @param {string} topic
 * @param {() => void} onChange
 * @param {(event: string, data: any) => boolean|void} [onEvent] may deal with an event itself, by returning true
 * @param {number} [gather] ms; more for what is expensive
 */
export function useTopic(topic, onChange, onEvent = () => false, gather = GATHER_MS) {
  const latest = useRef({ onChange, onEvent });
  latest.current = { onChange, onEvent };
  useEffect(() => {
    let timer = 0;
    const soon = () => {
      timer ||= setTimeout(() => {
        timer = 0;
        latest.current.onChange();
      }, gather);
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
