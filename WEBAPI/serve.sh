#!/bin/sh
# Serve Script Runner from this checkout.
#
#     ./WEBAPI/serve.sh                           http://127.0.0.1:9000
#     HOST=0.0.0.0 PORT=8080 ./WEBAPI/serve.sh    another address
#     ./WEBAPI/serve.sh --workers 2               further options go to the server
#
# The first start makes .venv beside the project and installs what requirements.lock
# names; later starts go straight to the server.
set -eu
root=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)
"$root/scripts/environment" "$root/.venv" "$root/requirements.lock"
exec "$root/.venv/bin/python" "$root/WEBAPI/api.py" \
    --host "${HOST:-127.0.0.1}" --port "${PORT:-9000}" "$@"
