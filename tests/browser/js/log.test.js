import { applySgr, parseLine, PLAIN, strip } from '../lib/ansi.js';
import { LevelFilter, levelOf } from '../lib/log-level.js';
import { LogModel } from '../lib/log-model.js';
import { LogRows, readLineLink, writeLineLink } from '../lib/log-rows.js';
import { firstError, markHits, toPattern } from '../lib/log-search.js';
import { LogSource, wholeLength } from '../lib/log-source.js';
import { placeOf, withContext, WrappedRows } from '../lib/log-wrap.js';
import { visibleRows } from '../lib/virtual.js';
import { equal, test } from './harness.js';

export { run } from './harness.js';

const linesOf = (log) => Array.from({ length: log.length }, (_, row) => log.text(row));

/** Cut a text at every place and expect the same lines. */
function whateverThePieces(text, lines) {
  for (let at = 0; at <= text.length; at += 1) {
    const model = new LogModel();
    model.append(text.slice(0, at));
    model.append(text.slice(at));
    model.finish();
    equal(linesOf(model), lines);
  }
}

test('lines do not depend on how the text was cut', () => whateverThePieces('a\n\nb\r\nc', ['a', '', 'b', 'c']));
test('a progress bar shows its last state', () => whateverThePieces('10%\r50%\r100%\nnext\n', ['100%', 'next']));
test('escapes are no text', () => whateverThePieces('\x1b[1;31mred\x1b[0m x\n', ['red x']));
test('titles, links and cursor moves are dropped', () => {
  equal(strip('\x1b]0;title\x07a\x1b]8;;http://x\x1b\\b\x1b]8;;\x1b\\\x1b[2Kc\x1b[10;5Hd\x1b(Be\x07'), 'abcde');
});
test('a colour lasts over lines until it is reset', () => {
  const model = new LogModel();
  model.append('\x1b[32mgreen\nstill\x1b[0m\nplain\n');
  equal(model.pieces(1).pieces, [{ text: 'still', style: { fg: '2' } }]);
  equal(model.pieces(2).pieces, [{ text: 'plain', style: {} }]);
});
test('colours of 16, 256 and 16 million', () => {
  equal(applySgr(PLAIN, '91'), { fg: '9' });
  equal(applySgr(PLAIN, '38;5;208'), { fg: '#ff8700' });
  equal(applySgr(PLAIN, '38;5;232'), { fg: '#080808' });
  equal(applySgr(PLAIN, '48;2;1;2;3'), { bg: '#010203' });
  equal(applySgr(PLAIN, '38;5;999'), {});
  equal(applySgr({ bold: true, fg: '1' }, '22;39'), {});
});
test('a very long line is cut and counted', () => {
  const model = new LogModel();
  model.append(`${'x'.repeat(5000)}\n`);
  const { pieces, more } = model.pieces(0);
  equal([pieces[0].text.length, more], [4000, 1000]);
});
test('two streams keep their own order and numbers', () => {
  const rows = new LogRows();
  rows.append('stdout', 'o1\no2\n');
  rows.append('stderr', 'e1\n');
  rows.append('stdout', 'o3');
  equal(linesOf(rows), ['o1', 'o2', 'e1', 'o3']);
  equal([0, 1, 2, 3].map((row) => rows.number(row)), [1, 2, 1, 3]);
  equal(rows.rowOf('stderr', 1), 2);
  rows.shown = 'stderr';
  equal(linesOf(rows), ['e1']);
});
test('an unfinished last line stands before the stream that is read after it', () => {
  const rows = new LogRows();
  rows.append('stdout', 'o1\no2');
  rows.finish(['stdout']);
  rows.append('stderr', 'e1\ne2');
  rows.finish(['stderr']);
  equal(linesOf(rows), ['o1', 'o2', 'e1', 'e2']);
});
test('addresses of lines are read and written', () => {
  equal(readLineLink('L5'), { stream: 'stdout', from: 5, to: 5 });
  equal(readLineLink('E9-E7'), { stream: 'stderr', from: 7, to: 9 });
  equal(readLineLink('L3-8'), { stream: 'stdout', from: 3, to: 8 });
  equal(readLineLink('details'), null);
  equal(writeLineLink({ stream: 'stderr', from: 7, to: 9 }), 'E7-E9');
});
test('the first error is a traceback, else a line that names one', () => {
  const rows = new LogRows();
  rows.append('stdout', 'fine\nValueError: x\n');
  equal(firstError(rows), 1);
  rows.append('stderr', 'Traceback (most recent call last):\n');
  equal(firstError(rows), 2);
});
test('hits are marked across pieces of different style', () => {
  const { pieces } = parseLine('ab\x1b[1mcd\x1b[0mef', PLAIN);
  const marked = markHits(pieces, toPattern('bcde', { regex: false, matchCase: false }));
  equal(marked.map(({ text, hit }) => [text, Boolean(hit)]), [['a', false], ['b', true], ['cd', true], ['e', true], ['f', false]]);
});
test('plain search takes signs as they are', () => {
  equal('a.b axb'.match(toPattern('a.b', { regex: false, matchCase: false })), ['a.b']);
  equal(toPattern('(', { regex: true, matchCase: false }), null);
});
test('a character that is cut off waits for its rest', () => {
  const bytes = new TextEncoder().encode('a€😀');
  equal([1, 2, 3, 4, 5, 6, 7, 8].map((end) => wholeLength(bytes.subarray(0, end))), [1, 1, 1, 4, 4, 4, 4, 8]);
});
test('what is no whole character is shown at the very end, and nowhere before', async () => {
  const read = async ({ final, range }) => {
    let text = '';
    const source = new LogSource({ runId: 'x', attempt: 1, stream: 'stdout', size: 0, onOutput: (more) => { text += more; }, onCut() {} });
    source.final = final;
    await source.take(new Response(Uint8Array.of(97, 0xe2, 0x82), { headers: range ? { 'Content-Range': range } : {} }));
    return [text, source.position];
  };
  equal(await read({ final: true }), ['a\ufffd', 3]);
  equal(await read({ final: true, range: 'bytes 0-2/3' }), ['a\ufffd', 3]);
  equal(await read({ final: true, range: 'bytes 0-2/9' }), ['a', 1]);
  equal(await read({ final: false }), ['a', 1]);
});
test('only rows near the window are drawn', () => {
  equal(visibleRows({ scrollTop: 0, height: 190, rowHeight: 19, count: 5 }), { first: 0, end: 5 });
  equal(visibleRows({ scrollTop: 19000, height: 190, rowHeight: 19, count: 100000 }), { first: 988, end: 1022 });
});
test('links of a script lead to http and https only', () => {
  const { pieces } = parseLine('\x1b]8;;https://x.example/\x07a\x1b[1mb\x1b[0mc\x1b]8;;\x07d\x1b]8;;javascript:x\x07e', PLAIN);
  equal(pieces.map(({ text, style }) => [text, style.link ?? '']), [['a', 'https://x.example/'], ['b', 'https://x.example/'], ['c', 'https://x.example/'], ['d', ''], ['e', '']]);
});
test('whole words are words in any script', () => {
  const pattern = toPattern('los', { regex: false, matchCase: false, word: true });
  equal('los verlos Los, größlos los'.match(pattern), ['los', 'Los', 'los']);
});
test('wrapped lines stand below each other', () => {
  const lines = ['', 'x'.repeat(10), 'x'.repeat(11), '\tx'];
  const rows = new WrappedRows(10).extend(4, (line) => lines[line]);
  equal([0, 1, 2, 3].map((line) => [rows.top(line), rows.size(line)]), [[0, 1], [1, 1], [2, 2], [4, 1]]);
  equal([0, 1, 2, 3, 4, 9].map((row) => rows.lineAt(row)), [0, 1, 2, 2, 3, 3]);
  lines.push('y'.repeat(21));
  equal(rows.extend(5, (line) => lines[line]).total, 8);
});
test('a filter keeps matches and their neighbours once', () => {
  equal(withContext([0, 2, 9], 1, 10), [0, 1, 2, 3, 8, 9]);
  equal(withContext([5], 0, 10), [5]);
  equal([0, 1, 4, 9].map((line) => placeOf([1, 4, 6], line)), [0, 0, 1, 3]);
});
test('the level of a line stands in its head', () => {
  const named = ['2026-11-23 10:00:00,1 - app - WARNING - slow', '[error] x', 'INFO:root:ERROR is only told of', 'WARN x', '{"level":"FATAL"}', 'information', 'no ERRORS', 'Traceback (most recent call last):'];
  equal(named.map(levelOf), [2, 3, 1, 2, 4, -1, -1, 3]);
});
test('a line without a level belongs to the one before it in its stream', () => {
  const lines = [['start', 'stdout'], ['ERROR broken', 'stdout'], ['  at a', 'stdout'], ['plain', 'stderr'], ['INFO fine', 'stdout'], ['more', 'stdout']];
  const filter = new LevelFilter('WARNING');
  equal(lines.map(([text, stream]) => filter.keeps(text, stream)), [false, true, true, false, false, false]);
});
