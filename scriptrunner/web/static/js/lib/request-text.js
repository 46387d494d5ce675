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
  dry_run: () => ['--dry-run'],
};

/**
 * The command, and the options that it has no flag for.
 * @param {Sent} sent
 * @returns {{text: string, left: string[]}}
 */
export function toCommand({ request, file }) {
  const { script_path: path, args = [], retry_on_failure: retries, retry_max_attempts: attempts = 3, ...options } = request;
  const words = Object.entries(options).flatMap(([name, value]) => FLAGS[name]?.(value) ?? []);
  if (retries) words.push('--retry', String(attempts));
  if (file) words.push('--upload');
  return {
    text: `scriptrunner run ${join([...words, file ?? path ?? '', ...args])}`,
    left: Object.keys(options).filter((name) => !FLAGS[name]),
  };
}
