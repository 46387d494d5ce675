import { join, split, UnclosedQuote } from '../lib/shellwords.js';
import { parseDotenv } from '../lib/dotenv.js';
import { equal, test, throws } from './harness.js';

export { run } from './harness.js';

test('words are separated by blanks', () => equal(split('  a  b\tc '), ['a', 'b', 'c']));
test('an empty line has no words', () => equal(split('   '), []));
test('quotes keep blanks and empty words', () => equal(split(`'a b' "" c''d`), ['a b', '', 'cd']));
test('single quotes are literal', () => equal(split(`'a\\"$x'`), ['a\\"$x']));
test('double quotes know four escapes', () => equal(split('"a\\"b\\\\c\\$d\\n"'), ['a"b\\c$d\\n']));
test('a backslash keeps the next character', () => equal(split('a\\ b \\\'c'), ['a b', "'c"]));
test('nothing is expanded', () => equal(split('$HOME *.py ~ @file a,b'), ['$HOME', '*.py', '~', '@file', 'a,b']));
test('an open quote is an error', () => throws(() => split('"a'), UnclosedQuote));
test('what is written is read back', () => {
  for (const words of [[''], ['a b', "it's", '"', '\\', '', 'ü€', '-x=1', 'a\nb', '$(rm)']]) equal(split(join(words)), words);
});
test('a .env file becomes names and values', () => {
  equal(parseDotenv('# c\nexport A=1\nB="x y" \nC=\'#\'\nD=v # note\nnot a line\n1X=2\r\nE='), [['A', '1'], ['B', 'x y'], ['C', '#'], ['D', 'v'], ['E', '']]);
});
