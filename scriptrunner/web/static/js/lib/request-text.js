/** A run request written for other tools: curl, Python, the command line. Pure. */
import { join, quote } from './shellwords.js';

/**
 * @typedef {object} Sent
 * @property {string} address of the service with its prefix
 * @property {{[name: string]: any}} request what differs from the defaults
 * @property {string} [file] name of the file of an upload
 */

/** @param {Sent} sent */
export function toCurl({ address, request, file }) {
  if (!file) {
    return `curl -X POST ${quote(`${address}/api/run`)} \\\n  -H 'Content-Type: application/json' \\\n  -d ${quote(JSON.stringify(request))}`;
  }
  const parts = formParts(request).map(([name, text]) => `  -F ${quote(`${name}=${text}`)}`);
  return [`curl -X POST ${quote(`${address}/api/run/upload`)}`, `  -F ${quote(`file=@${file}`)}`, ...parts].join(' \\\n');
}

/** The form fields of an upload: scalars as text, lists and objects as JSON. */
const formParts = ({ script_path: _ = '', ...options }) => Object.entries(options)
  .map(([name, value]) => [name, typeof value === 'object' ? JSON.stringify(value) : String(value)]);

/** @param {Sent} sent */
export function toPython({ request, file }) {
  const { script_path: path, ...options } = request;
  const lines = Object.entries(options).map(([name, value]) => `    ${name}=${pythonValue(value)},`);
  return ['from runner import ScriptRunner', '', 'runner = ScriptRunner(', `    ${pythonValue(file ?? path ?? '')},`, ...lines, ')',
    'result = runner.run()', 'print(result["status"], result["returncode"])', ''].join('\n');
}

function pythonValue(value) {
  if (value === null || value === undefined) return 'None';
  if (value === true) return 'True';
  if (value === false) return 'False';
  if (Array.isArray(value)) return `[${value.map(pythonValue).join(', ')}]`;
  if (typeof value === 'object') return `{${Object.entries(value).map(([name, each]) => `${pythonValue(name)}: ${pythonValue(each)}`).join(', ')}}`;
  return JSON.stringify(value);
}

/** How options are called by `scriptrunner run`; a function writes the words of its value. */
const FLAGS = {
  timeout: (value) => ['--timeout', String(value)],
  working_dir: (value) => ['--working-dir', value],
  env_vars: (value) => Object.entries(value).flatMap(([name, text]) => ['--env', `${name}=${text}`]),
  log_level: (value) => ['--log-level', value.toLowerCase()],
  monitor_interval: (value) => ['--monitor-interval', String(value)],
  stream_output: () => ['--stream-output'],
  retry_strategy: (value) => ['--retry-strategy', value],
  retry_initial_delay: (value) => ['--retry-delay', String(value)],
  retry_max_delay: (value) => ['--retry-max-delay', String(value)],
  retry_multiplier: (value) => ['--retry-multiplier', String(value)],
  retry_max_time: (value) => ['--retry-max-time', String(value)],
  dry_run: () => ['--dry-run'],
  enable_code_analysis: () => ['--code-analysis'],
  enable_secret_scanning: () => ['--secret-scan'],
  enable_dependency_scanning: () => ['--dependency-scan'],
  performance_gates: (value) => value.flatMap(gateWords),
  load_baseline: (value) => ['--load-baseline', value],
  save_baseline: (value) => ['--save-baseline', value],
  junit_output: (value) => ['--junit', value],
  enable_history: (value) => (value ? [] : ['--no-history']),
  history_db: (value) => ['--history-db', value],
  enable_visualizer: () => ['--visualize'],
  visualizer_format: (value) => ['--visualize-format', value],
  alerts: (value) => value.flatMap((rule) => ['--alert', alertWord(rule)]),
  enable_cost_tracking: () => ['--cost'],
};

/** "name: condition", or the whole rule as JSON where that does not say all of it. */
function alertWord({ name, condition, ...rest }) {
  const isPlain = Object.keys(rest).length === 0 && !/[:{]/.test(`${name ?? ''}${condition}`);
  if (!isPlain) return JSON.stringify({ ...(name ? { name } : {}), condition, ...rest });
  return name ? `${name}: ${condition}` : condition;
}

/** "metric<=3" and "metric>=1" of a gate. */
function gateWords({ metric, min_value: low, max_value: high }) {
  return [[low, '>='], [high, '<=']].filter(([bound]) => bound !== undefined && bound !== null).flatMap(([bound, sign]) => ['--gate', `${metric}${sign}${bound}`]);
}

/**
 * The command, and the options that it has no flag for.
 * @param {Sent} sent
 * @returns {{text: string, left: string[]}}
 */
export function toCommand({ request, file }) {
  const { script_path: path, args = [], retry_on_failure: retries, retry_max_attempts: attempts = 3, slack_webhook: webhook, ...options } = request;
  // In the environment other users of the machine do not see it.
  const environment = webhook ? `SLACK_WEBHOOK_URL=${quote(webhook)} ` : '';
  const words = Object.entries(options).flatMap(([name, value]) => FLAGS[name]?.(value) ?? []);
  if (retries) words.push('--retry', String(attempts));
  if (file) words.push('--upload');
  return {
    text: `${environment}scriptrunner run ${join([...words, file ?? path ?? '', ...args])}`,
    left: Object.keys(options).filter((name) => !FLAGS[name]),
  };
}
