/** What the server wrote into the page: where it lives and which build this is. */

/** @type {{base: string, static: string, version: string, build: string, soon?: string[]}} */
const boot = JSON.parse(document.documentElement.dataset.boot ?? '{}');

/** Prefix of every address of the service, '' or such as '/tools/runner'. */
export const base = boot.base;
/** Hash of the static files this page runs with. */
export const build = boot.build;
export const version = boot.version;
/** Modules that this page wants as soon as it stands, as paths of static files. */
export const soon = boot.soon ?? [];

/** Address of a page or an API call: `href('/api/runs')`. */
export const href = (path) => base + path;

/** Address of a static file of this build. */
export const staticHref = (path) => `${boot.static}/${path}`;
