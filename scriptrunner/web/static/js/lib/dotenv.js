/** Lines of a .env file as names and values. Pure. */

const LINE = /^\s*(?:export\s+)?([A-Za-z_]\w*)\s*=\s*(.*?)\s*$/;

/**
 * @param {string} text lines such as `export NAME="value"`; comments and others are left out
 * @returns {[string, string][]}
 */
export function parseDotenv(text) {
  return text.split(/\r?\n/).map((line) => LINE.exec(line)).filter((found) => found !== null)
    .map(([, name, value]) => [name, unquoted(value)]);
}

function unquoted(value) {
  const quoted = /^(['"])(.*)\1$/.exec(value);
  return quoted ? quoted[2] : value.replace(/\s+#.*$/, '');
}
