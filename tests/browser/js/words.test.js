import { bytes, duration, relative, scriptFolder, scriptName } from '../lib/format.js';
import { EventParser } from '../lib/live-hub.js';
import { ACTIONS } from '../lib/run-actions.js';
import { describe } from '../lib/run-status.js';
import { match } from '../lib/router.js';
import { equal, test } from './harness.js';

export { run } from './harness.js';

const ID = '1a70c822-9d61-4a55-8b1e-0c5f8c1d2e3f';
const run_ = (values) => ({ status: 'failed', phase: 'final', attempts: 1, request: {}, ...values });

test('durations', () => {
  equal([0.0123, 0.9996, 2, 2.13, 59.96, 134, 7500, 187200].map(duration), ['12 ms', '1.0 s', '2 s', '2.1 s', '1 m 00 s', '2 m 14 s', '2 h 05 m', '2 d 4 h']);
});
test('sizes', () => equal([0, 1, 1023, 1536, 1073741824].map(bytes), ['0 bytes', '1 byte', '1,023 bytes', '1.5 KiB', '1.0 GiB']));
test('times before and after now', () => {
  equal([0, 12_000, 180_000, 18_000_000, 172_800_000].map((ago) => relative(0, ago)), ['just now', '12 s ago', '3 min ago', '5 h ago', '2 d ago']);
  equal(relative(12_000, 0), 'in 12 s');
});
test('names and folders of scripts', () => {
  equal(['/srv/jobs/etl.py', 'etl.py', 'upload:a b.py'].map((path) => [scriptFolder(path), scriptName(path)]), [['/srv/jobs/', 'etl.py'], ['', 'etl.py'], ['uploaded', 'a b.py']]);
});
test('one phrase per state', () => {
  const phrases = [
    run_({ reason: 'timeout', request: { timeout: 30 } }), run_({ reason: 'signal', exit_code: -11 }), run_({ reason: 'exit_code', exit_code: 3 }),
    run_({ status: 'cancelled', reason: 'stopped' }), run_({ status: 'completed', run_status: 'success' }),
    run_({ status: 'completed', request: { dry_run: true } }), run_({ status: 'running', phase: 'stopping' }),
    run_({ status: 'running', phase: 'backoff', attempts: [1, 2] }), run_({ status: 'queued', queue_position: 4 }),
    run_({ reason: 'brand_new', error: 'Something else' }),
  ].map((run) => describe(run).phrase);
  equal(phrases, [
    'failed · timeout after 30 s', 'failed · died of SIGSEGV', 'failed · exit 3', 'cancelled · stopped', 'completed · success',
    'completed · dry run', 'running · stopping…', 'running · waiting to retry · attempt 2', 'queued · position 4', 'failed · Something else',
  ]);
});
test('orders are refused with a reason', () => {
  const running = run_({ status: 'running', phase: 'running' });
  equal(ACTIONS.stop.refusal(running), '');
  equal(ACTIONS.stop.refusal({ ...running, phase: 'stopping' }), 'This run is being stopped already');
  equal(ACTIONS.kill.refusal(running, 'stopping…'), '');
  equal(ACTIONS.remove.refusal(running), 'Only finished runs can be deleted');
  equal(ACTIONS.stop.refusal(run_({})), 'This run has finished');
});
test('addresses', () => {
  equal(match('/'), { name: 'runner', nav: 'runner' });
  equal(match(`/runs/${ID}`), { name: 'run', nav: 'runner', id: ID });
  equal(match(`/runs/${ID}/events`), { name: 'run', nav: 'runner', id: ID, tab: 'events' });
  equal(match('/library/12'), { name: 'script', nav: 'library', id: '12' });
  equal(match('/library/duplicates').name, 'duplicates');
  equal(match('/schedules/a:b.c').id, 'a:b.c');
  equal(match('/runs/7').name, 'not-found');
});
test('events of a stream do not depend on how it was cut', () => {
  const text = 'retry: 2000\n\n:\n\nevent: run\nid: 7\ndata: {"a":1}\n\ndata: x\r\ndata: y\r\n\r\n';
  for (let at = 0; at <= text.length; at += 1) {
    const events = [];
    const parser = new EventParser((event) => events.push(event));
    parser.feed(text.slice(0, at));
    parser.feed(text.slice(at));
    equal(events, [{ event: 'run', id: '7', data: '{"a":1}' }, { event: 'message', id: '', data: 'x\ny' }]);
  }
});
