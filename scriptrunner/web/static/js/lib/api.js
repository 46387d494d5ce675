/** All calls of the HTTP API. Nothing else fetches, but the live stream. */
import { href } from './boot.js';
import { signal } from './ui.js';

/** True while the server does not answer at all. */
export const serverGone = signal(false);
/** True after an answer that asks for a login. */
export const loginNeeded = signal(false);

/** What went wrong with a call, in the server's words where it had any. */
export class ApiError extends Error {
  /**
   * @param {string} message one sentence for people
   * @param {{status?: number, code?: string, faults?: Fault[], requestId?: string|null}} facts
   */
  constructor(message, { status = 0, code = 'unreachable', faults = [], requestId = null } = {}) {
    super(message);
    this.status = status;
    this.code = code;
    /** One entry per wrong field of a 422. */
    this.faults = faults;
    this.requestId = requestId;
  }
}

/** @typedef {{type: string, loc: (string|number)[], msg: string}} Fault */

/**
 * Send a request and return the answer.
 *
 * @param {string} method
 * @param {string} path below the service's prefix, such as '/api/runs'
 * @param {{query?: object, json?: unknown, form?: FormData, headers?: object, signal?: AbortSignal}} [options]
 * @returns {Promise<Response>}
 * @throws {ApiError} for every status from 400 on, and when there is no answer
 */
export async function request(method, path, { query, json, form, headers = {}, signal: abort } = {}) {
  const body = form ?? (json === undefined ? undefined : JSON.stringify(json));
  /** @type {Record<string, string>} */
  const kind = json === undefined ? {} : { 'Content-Type': 'application/json' };
  let answer;
  try {
    answer = await fetch(href(path) + search(query), {
      method, body, signal: abort, headers: { Accept: 'application/json', ...kind, ...headers },
    });
  } catch (error) {
    if (/** @type {Error} */ (error).name === 'AbortError') throw error;
    serverGone.value = true;
    throw new ApiError('The server does not answer.');
  }
  serverGone.value = false;
  if (!answer.ok) throw await toError(answer);
  return answer;
}

/** Like `request`, for an answer in JSON. */
export async function getJson(path, options) {
  return (await request('GET', path, options)).json();
}

/** Like `request` with POST, for an answer in JSON. */
export async function postJson(path, options) {
  return (await request('POST', path, options)).json();
}

/** A query string with its '?', or ''. Arrays repeat the name; null and '' are left out. */
export function search(query = {}) {
  const pairs = Object.entries(query)
    .flatMap(([name, value]) => [value].flat().map((each) => [name, each]))
    .filter(([, value]) => value !== null && value !== undefined && value !== '');
  return pairs.length ? `?${new URLSearchParams(pairs)}` : '';
}

async function toError(answer) {
  const requestId = answer.headers.get('X-Request-ID');
  if (answer.status === 401) loginNeeded.value = true;
  let body = {};
  try {
    body = await answer.json();
  } catch { /* a proxy's page: the status says enough */ }
  const { detail, code = `http_${answer.status}` } = body;
  if (Array.isArray(detail)) {
    const message = detail.map(faultText).join('; ');
    return new ApiError(message, { status: answer.status, code, faults: detail, requestId });
  }
  const message = typeof detail === 'string' ? detail : `The server answered ${answer.status} ${answer.statusText}`;
  return new ApiError(message, { status: answer.status, code, requestId });
}

/** "timeout: must be positive" of a fault of a 422. */
function faultText({ loc, msg }) {
  const field = loc.slice(1).join('.');
  return field ? `${field}: ${msg}` : msg;
}

/** A key that makes a repeated POST harmless; works without a secure context. */
export function idempotencyKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (each) => each.toString(16).padStart(2, '0')).join('');
}

/** Answer of `/api/me`, or null before it came. */
export const me = signal(/** @type {{principal: string, role: string, permissions: string[], local: boolean}|null} */ (null));

export async function loadMe() {
  try {
    me.value = await getJson('/api/me');
  } catch { /* the first call that needs it says why */ }
}

/** Whether the reader may do something; true until it is known, since the server decides. */
export const can = (permission) => !me.value || me.value.permissions.includes(permission);
