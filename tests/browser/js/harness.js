/** A test is a function that throws; `run` says which did. */
const tests = [];

export const test = (name, check) => tests.push({ name, check });

export function equal(actual, expected) {
  const [a, b] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (a !== b) throw new Error(`expected ${b}, got ${a}`);
}

export function throws(check, kind) {
  try {
    check();
  } catch (error) {
    if (error instanceof kind) return;
    throw error;
  }
  throw new Error(`expected ${kind.name}`);
}

export async function run() {
  const failed = [];
  for (const { name, check } of tests) {
    try {
      await check();
    } catch (error) {
      failed.push(`${name}: ${error.message}`);
    }
  }
  return { count: tests.length, failed };
}
