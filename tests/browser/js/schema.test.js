import { faultsByField, initialValues, readForm, retryWaits, toRequest } from '../lib/schema.js';
import { equal, test } from './harness.js';

export { run } from './harness.js';

const hint = (order, more = {}) => ({ group: 'script', label: 'L', widget: 'text', help: 'h', order, ...more });
const DOCUMENT = {
  components: {
    schemas: {
      RunRequest: {
        'x-form-groups': [{ key: 'script', title: 'Script', help: '' }],
        properties: {
          args: { type: 'array', default: [], 'x-form': hint(1) },
          timeout: { anyOf: [{ type: 'integer', minimum: 1 }, { type: 'null' }], default: null, 'x-form': hint(2) },
          script_path: { type: 'string', 'x-form': hint(0) },
          retry: { type: 'boolean', default: false, 'x-form': hint(3) },
          level: { $ref: '#/components/schemas/Level', default: 'INFO', 'x-form': hint(4, { shown_when: 'retry' }) },
          internal: { type: 'string' },
        },
      },
      Level: { enum: ['DEBUG', 'INFO'] },
    },
  },
};
const { fields } = readForm(DOCUMENT);

test('fields come in the order of their hints', () => equal(fields.map(({ name }) => name), ['script_path', 'args', 'timeout', 'retry', 'level']));
test('limits and choices are found behind null and references', () => {
  const [, , timeout, , level] = fields;
  equal([timeout.integer, timeout.min, level.choices], [true, 1, ['DEBUG', 'INFO']]);
});
test('only what differs and is shown is sent', () => {
  const values = { ...initialValues(fields), script_path: 'a.py', level: 'DEBUG' };
  equal(toRequest(fields, values), { script_path: 'a.py' });
  equal(toRequest(fields, { ...values, retry: true }), { script_path: 'a.py', retry: true, level: 'DEBUG' });
});
test('faults go to their fields', () => {
  const faults = [{ loc: ['body', 'args', 3], msg: 'not text' }, { loc: ['body', 'nope'], msg: 'unknown' }];
  equal([...faultsByField({ faults }, fields)], [['args', '3: not text'], ['', 'nope: unknown']]);
  equal([...faultsByField({ faults: [], code: 'invalid_timeout', message: 'm' }, fields)], [['timeout', 'm']]);
  equal([...faultsByField({ faults: [], code: 'disk_full', message: 'm' }, fields)], [['', 'm']]);
});
test('waits between attempts are those of the server', () => {
  const values = { retry_max_attempts: 6, retry_initial_delay: 2, retry_multiplier: 3, retry_max_delay: 30 };
  // 2·3^i: 2, 6, 18, then the cap; 2·F: 2, 2, 4, 6, 10; 2·(i+1): 2, 4, 6, 8, 10
  equal(retryWaits({ ...values, retry_strategy: 'exponential' }), [2, 6, 18, 30, 30]);
  equal(retryWaits({ ...values, retry_strategy: 'fibonacci' }), [2, 2, 4, 6, 10]);
  equal(retryWaits({ ...values, retry_strategy: 'linear' }), [2, 4, 6, 8, 10]);
});
