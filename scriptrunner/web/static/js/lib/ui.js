/**
 * The only module that names the view library: Preact, htm and signals.
 * Everything else imports from here.
 */
import { h, render, Fragment, Component, createRef } from '../../vendor/preact.js';
import htm from '../../vendor/htm.js';

export { h, render, Fragment, Component, createRef };
export {
  useState, useEffect, useLayoutEffect, useRef, useMemo, useCallback, useErrorBoundary, useId,
} from '../../vendor/preact-hooks.js';
export {
  signal, computed, effect, batch, untracked, useSignal, useComputed, useSignalEffect,
} from '../../vendor/signals.js';

/** Template tag: html`<${Part} name=${value}>text<//>`. Values are text or attributes, never markup. */
export const html = htm.bind(h);

/** Joins class names and leaves out what is false. */
export const classes = (...names) => names.filter(Boolean).join(' ');
