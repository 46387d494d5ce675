"""The service's door: ``app`` for ASGI servers, and a command line of its own.

``python WEBAPI/api.py --host 0.0.0.0 --port 9000`` serves, ``python WEBAPI/api.py token
create`` makes a token, ``uvicorn WEBAPI.api:app --workers 2`` serves by plain uvicorn.
"""

import sys
from pathlib import Path

# Run from a checkout, from any folder, without having been installed.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))


def main() -> int:
    """Serve, or do what the named command says."""
    try:
        return _run(sys.argv[1:])
    except ModuleNotFoundError as error:
        sys.exit(
            f"The Python package {error.name} is missing here. Install what the service"
            " needs by `pip install -r WEBAPI/requirements.txt`, or start it by"
            " `./WEBAPI/serve.sh`, which makes an environment of its own."
        )


def _run(args: list[str]) -> int:
    from scriptrunner.cli import COMMANDS  # noqa: PLC0415 - needs the path set above
    from scriptrunner.cli import main as run_command  # noqa: PLC0415 - likewise

    if not args or args[0] not in COMMANDS:
        args = ["serve", *args]
    return run_command(args, program="api.py")


if __name__ == "__main__":
    sys.exit(main())

# A worker that multiprocessing starts loads this file once more under this name.
if __name__ != "__mp_main__":
    from scriptrunner.web.app import create_app

    app = create_app()
