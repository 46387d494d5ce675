import { best, score } from '../lib/fuzzy.js';
import { toCommand, toCurl, toPython } from '../lib/request-text.js';
import { split } from '../lib/shellwords.js';
import { equal, test } from './harness.js';

export { run } from './harness.js';

const REQUEST = { script_path: "jobs/it's.py", args: ['a b', ''], timeout: 5, env_vars: { STAGE: 'x' }, dry_run: true };

test('a curl command is what a shell splits into the same request', () => {
  const words = split(toCurl({ address: 'http:' + '//host', request: REQUEST }).replaceAll('\\\n', ' '));
  equal(words.slice(0, 4), ['curl', '-X', 'POST', 'http:' + '//host/api/run']);
  equal(JSON.parse(words.at(-1)), REQUEST);
});
test('a curl command of an upload has a form field per option', () => {
  const words = split(toCurl({ address: '', request: REQUEST, file: 'x y.py' }).replaceAll('\\\n', ' '));
  equal(words.filter((_, index) => words[index - 1] === '-F'), ['file=@x y.py', 'args=["a b",""]', 'timeout=5', 'env_vars={"STAGE":"x"}', 'dry_run=true']);
});
test('Python code names the options', () => {
  const text = toPython({ address: '', request: REQUEST });
  equal(text.includes(`    "jobs/it's.py",\n    args=["a b", ""],\n    timeout=5,\n    env_vars={"STAGE": "x"},\n    dry_run=True,\n)`), true);
});
test('a command keeps the arguments and tells what it cannot say', () => {
  const { text, left } = toCommand({ address: '', request: { ...REQUEST, retry_on_failure: true, slack_webhook: 'x', unheard_of: 1 } });
  equal(split(text), ['SLACK_WEBHOOK_URL=x', 'scriptrunner', 'run', '--timeout', '5', '--env', 'STAGE=x', '--dry-run', '--retry', '3', "jobs/it's.py", 'a b', '']);
  equal(left, ['unheard_of']);
  const gated = { script_path: 'a.py', performance_gates: [{ metric: 'cpu_max', max_value: 80 }, { metric: 'exit_code', min_value: 0, max_value: 3 }], enable_history: false };
  equal(toCommand({ address: '', request: gated }).text, "scriptrunner run --gate 'cpu_max<=80' --gate 'exit_code>=0' --gate 'exit_code<=3' --no-history a.py");
});
test('letters in order fit, whole words and last parts fit better', () => {
  equal(score('jobs/report.py', 'zz'), -1);
  const names = ['etl/archive.py', 'old/report_etl.py', 'jobs/etl.py', 'misc/elastic_tool.py'];
  equal(best(names, 'etl', (name) => name), ['jobs/etl.py', 'old/report_etl.py', 'etl/archive.py', 'misc/elastic_tool.py']);
  equal(best(names, '', (name) => name, 2), names.slice(0, 2));
});
