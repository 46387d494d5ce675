/** Bars across the page: no server, login over, new release. */
import { loginNeeded, request, serverGone } from '../lib/api.js';
import { build, href } from '../lib/boot.js';
import { retryNow } from '../lib/live.js';
import { path } from '../lib/router.js';
import { html, signal, useEffect, useState } from '../lib/ui.js';
import { Button, Icon } from './basics.js';

/** True when the server runs another release than this page. */
const outdated = signal(false);

export function Notices() {
  return html`
    ${serverGone.value && html`<${ServerGone} />`}
    ${loginNeeded.value && html`<div class="notice tone-warn" role="alert"><${Icon} name="log-out" />
      <span>You are not logged in any more. What you typed is kept.</span>
      <a class="btn" href=${`${href('/login')}?next=${encodeURIComponent(href(path.value))}`} target="_blank" rel="noopener">Log in</a>
      <${Button} label="Done" onClick=${() => location.reload()} /></div>`}
    ${outdated.value && html`<div class="notice tone-info" role="status"><${Icon} name="refresh-cw" />
      <span>The server runs a new release.</span>
      <${Button} label="Reload this page" onClick=${() => location.reload()} /></div>`}`;
}

/** Counts down to the next try; when the server is back, everything looks again. */
function ServerGone() {
  const [left, setLeft] = useState(3);
  const attempt = async () => {
    try {
      await request('GET', '/api/health');
      retryNow();
      compareBuild();
    } catch {
      setLeft(5);
    }
  };
  useEffect(() => {
    const timer = setInterval(() => setLeft((seconds) => Math.max(0, seconds - 1)), 1000);
    return () => clearInterval(timer);
  }, []);
  useEffect(() => {
    if (left === 0) attempt();
  }, [left === 0]);
  return html`<div class="notice tone-bad" role="alert" data-testid="server-gone"><${Icon} name="unplug" />
    <span>The server does not answer. ${left ? `Next try in ${left} s.` : 'Trying…'} Running scripts are not affected.</span>
    <${Button} label="Try now" onClick=${() => setLeft(0)} /></div>`;
}

/** After an interruption: is this still the release the page came from? */
async function compareBuild() {
  try {
    const text = await (await request('GET', '/', { headers: { Accept: 'text/html' } })).text();
    outdated.value = !text.includes(`/static/${build}/`);
  } catch { /* seen again at the next try */ }
}
