"""What a run asks to be scanned for, as part of its launch order."""

import sys
from functools import lru_cache
from typing import Any, Protocol

from scriptrunner.engine.scans.kinds import (
    KINDS,
    OPTION_NAMES,
    RULES,
    SCAN_MEMORY_BYTES,
    SCAN_SECONDS,
)


class ScanOptions(Protocol):
    """The part of a run's options that asks for scans."""

    @property
    def enable_code_analysis(self) -> bool:
        """Whether the script is analysed."""

    @property
    def enable_secret_scanning(self) -> bool:
        """Whether it is searched for secrets."""

    @property
    def enable_dependency_scanning(self) -> bool:
        """Whether what it depends on is looked up."""


def list_kinds(options: ScanOptions) -> list[str]:
    """Return the scans that a run asks for."""
    return [kind for kind in KINDS if getattr(options, OPTION_NAMES[kind])]


def build_order(
    kinds: list[str],
    *,
    script_name: str,
    block: str,
    advisory_db: str | None,
    cache_dir: str | None,
    seconds: float = SCAN_SECONDS,
    memory_bytes: int = SCAN_MEMORY_BYTES,
) -> dict[str, Any] | None:
    """Return the order for ``kinds``, or None if there are none.

    Args:
        kinds: Some of ``KINDS``.
        script_name: What findings call the script's file.
        block: The least severity that blocks a run, or ``NONE``.
        advisory_db: File or folder with OSV entries, or None.
        cache_dir: Folder that keeps reports by content, or None to keep none.
        seconds: What all scans together may take.
        memory_bytes: Address space of the scanning process.
    """
    if not kinds:
        return None
    return {
        "kinds": kinds,
        "script_name": script_name,
        "block": block,
        "advisory_db": advisory_db,
        "cache_dir": cache_dir,
        "rules": get_rules_version(),
        "seconds": seconds,
        "memory_bytes": memory_bytes,
    }


@lru_cache(maxsize=1)
def get_rules_version() -> str:
    """Return a text that changes whenever other findings may come of the same content."""
    python = ".".join(map(str, sys.version_info[:2]))
    libraries = ("bandit", "detect-secrets", "packaging")
    return "/".join([str(RULES), python, *map(_get_version, libraries)])


def _get_version(name: str) -> str:
    from importlib import metadata  # noqa: PLC0415 - large, and only scans need it

    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "none"
