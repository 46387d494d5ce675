"""What a supervisor leaves about itself in ``supervisor.json``, and what it is made of."""

import hashlib
import json
from pathlib import Path
from typing import Any

from scriptrunner import __version__
from scriptrunner.settings import Settings

_PACKAGE = Path(__file__).resolve().parent.parent


def path_of(data_dir: Path) -> Path:
    """Return where the note of a data folder is."""
    return data_dir / "supervisor.json"


def read(data_dir: Path) -> dict[str, Any]:
    """Return the note, empty if there is none that can be read."""
    try:
        value = json.loads(path_of(data_dir).read_text())
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def made_of(settings: Settings) -> str:
    """Return what tells a supervisor from one of other settings, version or code.

    The code counts by the time of its last change, for a checkout that was updated.
    """
    changed_ns = max(path.stat().st_mtime_ns for path in _PACKAGE.rglob("*.py"))
    text = f"{__version__}\n{changed_ns}\n{settings.to_json()}"
    return hashlib.sha256(text.encode()).hexdigest()
