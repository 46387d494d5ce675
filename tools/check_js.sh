#!/bin/sh
# Check the types of the dashboard's modules by their JSDoc. The only step that needs node;
# what it finds in files of others (static/vendor) is not ours to mend.
set -eu
root=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)
cd "$root"
if ! command -v npm >/dev/null; then
    echo "No npm here (Debian: apt-get install npm): the types of the dashboard are not checked" >&2
    exit 1
fi
if [ ! -x node_modules/.bin/tsc ]; then
    npm ci --ignore-scripts --no-audit --no-fund >&2
fi
found=$(node_modules/.bin/tsc --pretty false | grep -v -e '/static/vendor/' -e '^ ' || true)
if [ -n "$found" ]; then
    printf '%s\n' "$found" >&2
    exit 1
fi
echo "The types of the dashboard's modules agree."
