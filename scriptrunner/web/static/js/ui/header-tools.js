/** The right end of the top bar: live state, time zone, theme, help, logout. */
import { can, me } from '../lib/api.js';
import { hotkeys } from '../lib/hotkeys.js';
import { liveState, retryNow } from '../lib/live.js';
import { theme, zone } from '../lib/prefs.js';
import { path } from '../lib/router.js';
import { href } from '../lib/boot.js';
import { html } from '../lib/ui.js';
import { Icon, IconButton } from './basics.js';

const LIVE = {
  live: { word: 'live', title: 'Changes appear here as they happen' },
  connecting: { word: 'connecting', title: 'Opening the live stream' },
  reconnecting: { word: 'reconnecting', title: 'The live stream broke; trying again' },
  polling: { word: 'polling', title: 'No live stream: looking every 5 seconds while this tab is visible' },
  paused: { word: 'paused', title: 'Not updated while this tab is hidden' },
  denied: { word: 'not allowed', title: 'The server refused the live stream' },
};
const NEXT_THEME = { system: 'light', light: 'dark', dark: 'system' };
const THEME_ICONS = { system: 'monitor', light: 'sun', dark: 'moon' };

/** @param {{onHelp: () => void, onSearch: () => void}} props */
export function HeaderTools({ onHelp, onSearch }) {
  const live = LIVE[liveState.value];
  const isUtc = zone.value === 'utc';
  const changeZone = () => {
    zone.value = isUtc ? 'local' : 'utc';
  };
  const changeTheme = () => {
    theme.value = NEXT_THEME[theme.value];
  };
  return html`
    <button type="button" class="tool search-btn" data-testid="palette-open" title="Search or run (Ctrl K)" aria-label="Search or run" onClick=${onSearch}>
      <${Icon} name="search" /><span>Search or run…</span><kbd>Ctrl K</kbd></button>
    ${path.value !== '/' && path.value !== '/launch' && can('run.start') && html`<a class="btn btn-compact btn-primary new-run" aria-label="New run" href=${href('/launch')} data-testid="new-run">
      <${Icon} name="plus" /><span class="desktop-only">Run</span></a>`}
    <button type="button" class=${`live-state is-${liveState.value}`} data-testid="live-state" title=${live.title} onClick=${retryNow}>
      <span class="dot"></span><span class="live-word">${live.word}</span></button>
    <button type="button" class="tool" data-testid="zone-toggle" title="Zone of absolute times" onClick=${changeZone}>
      ${isUtc ? 'UTC' : 'local time'}</button>
    <${IconButton} icon=${THEME_ICONS[theme.value]} label=${`Theme: ${theme.value}`} data-testid="theme-toggle" onClick=${changeTheme} />
    ${hotkeys.value.length > 0 && html`<${IconButton} icon="keyboard" class="icon-btn desktop-only" label="Keyboard shortcuts (?)"
      data-testid="shortcuts" onClick=${onHelp} />`}
    ${me.value && !me.value.local && html`<${LogOut} name=${me.value.principal} />`}`;
}

function LogOut({ name }) {
  return html`<form method="post" action=${href('/logout')} class="logout">
    <button type="submit" class="tool" title=${`Logged in as ${name}`}><${Icon} name="log-out" />Log out</button>
  </form>`;
}
