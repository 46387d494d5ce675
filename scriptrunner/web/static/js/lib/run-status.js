/** One phrase for the state of a run, its icon and its tone. Pure. */
import { duration } from './format.js';

export const STATUSES = ['queued', 'running', 'completed', 'failed', 'cancelled'];
export const isActive = (run) => run.status === 'queued' || run.status === 'running';

const LOOKS = {
  queued: { icon: 'hourglass', tone: 'quiet' },
  running: { icon: 'loader-circle', tone: 'info' },
  completed: { icon: 'circle-check', tone: 'good' },
  failed: { icon: 'circle-x', tone: 'bad' },
  cancelled: { icon: 'circle-minus', tone: 'warn' },
};

const SIGNALS = {
  1: 'SIGHUP', 2: 'SIGINT', 3: 'SIGQUIT', 4: 'SIGILL', 6: 'SIGABRT', 7: 'SIGBUS', 8: 'SIGFPE', 9: 'SIGKILL',
  10: 'SIGUSR1', 11: 'SIGSEGV', 12: 'SIGUSR2', 13: 'SIGPIPE', 14: 'SIGALRM', 15: 'SIGTERM', 24: 'SIGXCPU', 25: 'SIGXFSZ',
};

/** "SIGSEGV" of 11. */
export const signalName = (number) => SIGNALS[number] ?? `signal ${number}`;

const PHASES = { starting: 'starting', stopping: 'stopping…', backoff: 'waiting to retry' };

const REASONS = {
  exit_code: (run) => `exit ${run.exit_code}`,
  signal: (run) => `died of ${signalName(-run.exit_code)}`,
  timeout: (run) => (run.request?.timeout ? `timeout after ${duration(run.request.timeout)}` : 'timeout'),
  spawn_error: () => 'could not be started',
  script_changed: () => 'the script changed before the start',
  scan_blocked: () => 'blocked by a scan',
  gates: () => 'gates (the script itself succeeded)',
  lost: () => 'lost: its keeper vanished',
  host_restart: () => 'lost: the machine restarted',
  oom: () => 'out of memory',
  output_limit: () => 'too much output',
  cancelled: () => 'on request',
  stopped: () => 'stopped',
  killed: () => 'killed',
  restart: () => 'replaced by a restart',
};

/**
 * @param {any} run a list item or a record
 * @returns {{word: string, icon: string, tone: string, detail: string, phrase: string}} `word` is
 *   the status, `detail` says what it adds, `phrase` is both
 */
export function describe(run) {
  const look = LOOKS[run.status] ?? { icon: 'circle-help', tone: 'quiet' };
  const detail = detailOf(run);
  return { word: run.status, ...look, detail, phrase: detail ? `${run.status} · ${detail}` : run.status };
}

function detailOf(run) {
  if (run.status === 'queued') {
    if (run.waiting_for) return 'until the run it replaces is gone';
    return run.queue_position ? `position ${run.queue_position}` : '';
  }
  if (run.status === 'running') {
    const attempt = attemptCount(run);
    return [PHASES[run.phase], attempt > 1 && `attempt ${attempt}`].filter(Boolean).join(' · ');
  }
  if (run.status === 'completed') return run.request?.dry_run ? 'dry run' : run.run_status ?? '';
  return REASONS[run.reason]?.(run) ?? run.error ?? '';
}

/** Attempts begun so far; lists carry the number, records the attempts themselves. */
export function attemptCount(run) {
  return Array.isArray(run.attempts) ? run.attempts.length : run.attempts ?? 0;
}
