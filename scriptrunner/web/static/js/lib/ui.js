/**
 * The only module that names the view library: Preact, htm and signals.
 * Everything else imports from here.
 */
import { h, render, Fragment, Component, createRef } from '../../vendor/preact.js';
import { useEffect, useState } from '../../vendor/preact-hooks.js';
import htm from '../../vendor/htm.js';

export { h, render, Fragment, Component, createRef };
export {
  useState, useEffect, useLayoutEffect, useRef, useMemo, useCallback, useErrorBoundary, useId,
} from '../../vendor/preact-hooks.js';
export {
  signal, computed, effect, batch, untracked, useSignal, useComputed, useSignalEffect,
} from '../../vendor/signals.js';

/**
 * Template tag: html`<${Part} name=${value}>text<//>`. Values are text or attributes, never markup.
 * @type {(strings: TemplateStringsArray, ...values: any[]) => any}
 */
export const html = htm.bind(h);

/** Joins class names and leaves out what is false. */
export const classes = (...names) => names.filter(Boolean).join(' ');

/** True while the browser leaves the page: what it drops then is no failure. */
let leaving = false;
addEventListener('beforeunload', () => { leaving = true; });
addEventListener('pageshow', () => { leaving = false; });

/** Call when the first page stands: what it does without at first sight is fetched from then on. */
export let pageStands = () => {};
/** @type {Promise<void>} */
export const standing = new Promise((resolve) => { pageStands = resolve; });

/**
 * A component whose module is fetched when it is shown first, but not before the first page stands.
 * @param {() => Promise<any>} load gives the component
 * @param {unknown} [meanwhile] what stands in its place until then
 * @returns {(props: any) => unknown}
 */
export function lazy(load, meanwhile = null) {
  /** @type {any} */
  let loaded = null;
  /** @type {Promise<any>|null} */
  let coming = null;
  /** @type {unknown} */
  let failure = null;
  return function Lazy(props) {
    const [, redraw] = useState({});
    useEffect(() => {
      if (loaded) return;
      coming ??= standing.then(load);
      const settle = () => redraw({});
      coming.then((part) => { loaded = part; }, (error) => { failure = leaving ? null : error; coming = null; }).then(settle);
    }, []);
    if (failure) {
      const error = failure;
      failure = null;
      // Thrown while drawing, so that the error boundary of the card or the page has it.
      throw error;
    }
    return loaded ? h(loaded, props) : meanwhile;
  };
}
