"""The settings of a service, read once from ``WEBAPI_*`` environment variables.

``Settings`` is a frozen value without Pydantic, so that the supervisor, which gets the
settings of the web worker that starts it as JSON, need not load Pydantic. Only
``load_settings``, which reads the environment, does.
"""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from scriptrunner.errors import ScriptRunnerError

#: The checkout or the folder of the installed package: default place of scripts and data.
PROJECT_FOLDER = Path(__file__).resolve().parent.parent.parent


def default_slots() -> int:
    """Return how many runs may run at once: the CPUs, at least 2 and at most 32."""
    return max(2, min(32, os.cpu_count() or 2))


#: Fields that JSON knows only as lists and texts.
_TUPLES = (
    "pass_env",
    "hosts",
    "local_uids",
    "webhook_hosts",
    "webhook_internal_hosts",
    "alert_email_to",
)
_PATHS = (
    "admin_token_file",
    "advisory_db",
    "cost_prices",
    "output_root",
    "smtp_password_file",
    "alert_channels",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What an administrator decides. Every field has its variable in ``docs/reference/settings.md``."""

    #: SQLAlchemy URL of the database.
    database_url: str
    #: Folder that holds all data; made at start (0700).
    data_dir: Path
    #: Folders below which scripts and working folders must lie; given spelling.
    allowed_roots: tuple[Path, ...]
    #: Interpreter that runs the scripts.
    python: str = ""
    #: Runs at once.
    slots: int = field(default_factory=default_slots)
    #: Runs that may wait.
    queue_limit: int = 10_000
    #: Seconds between SIGTERM and SIGKILL.
    stop_grace_seconds: float = 10.0
    #: Bytes kept per stream of an attempt.
    max_output_bytes: int = 1 << 30
    #: Names of the service's environment that scripts inherit.
    pass_env: tuple[str, ...] = ()
    #: Seconds the supervisor stays when no web worker is left.
    linger_seconds: float = 8.0
    #: ``process`` survives SIGKILL of anything, ``power`` also a power cut.
    durability: str = "process"
    #: Seconds a write waits for the database before it gives up.
    database_wait_seconds: float = 30.0
    #: Free bytes on the data disk below which no new run is accepted.
    disk_margin_bytes: int = 128 << 20
    #: Bytes set aside so that ends can be recorded on a full disk.
    ballast_bytes: int = 64 << 20
    #: Further names by which browsers may call this service.
    hosts: tuple[str, ...] = ()
    #: Role of a local caller without credentials: ``admin`` or ``none``.
    local_role: str = "admin"
    #: Further user ids whose processes count as local.
    local_uids: tuple[int, ...] = ()
    #: ``on``, ``log`` or ``off``: refuse loopback peers of other users.
    rule_uid: str = "on"
    #: ``on``, ``log`` or ``off``: refuse HTTP/1.0 from loopback.
    rule_http10: str = "on"
    #: File whose content is the first admin token, or None.
    admin_token_file: Path | None = None
    #: Requests a second (and burst) per token or remote address for POST.
    post_rate_per_second: float = 20.0
    post_burst: int = 100
    #: Open event streams in all and per caller.
    streams_limit: int = 1_000
    streams_per_caller: int = 50
    #: Least severity of a finding that blocks a run; ``NONE`` only reports.
    scan_block: str = "HIGH"
    #: File or folder with known vulnerabilities; None for ``advisory_path``'s default.
    advisory_db: Path | None = None
    #: Folders below which folder roots of the library may lie; empty: most of what is ours.
    library_roots: tuple[Path, ...] = ()
    #: Folder where outputs of runs are published, or None.
    output_root: Path | None = None
    #: Hosts besides hooks.slack.com that webhooks may go to; ``name`` or ``name:port``.
    webhook_hosts: tuple[str, ...] = ()
    #: ``name:port`` of webhooks on our own network: plain http and any address will do.
    webhook_internal_hosts: tuple[str, ...] = ()
    #: Addresses of the channels ``slack`` and ``webhook``, or None; secrets.
    slack_webhook: str | None = field(default=None, repr=False)
    alert_webhook: str | None = field(default=None, repr=False)
    #: The mail server of the channel ``email``; no port means the usual one.
    smtp_host: str | None = None
    smtp_port: int | None = None
    #: ``starttls``, ``tls`` or ``none``.
    smtp_tls: str = "starttls"
    smtp_user: str | None = None
    smtp_password_file: Path | None = None
    alert_email_from: str | None = None
    alert_email_to: tuple[str, ...] = ()
    #: TOML file with the named channels, or None.
    alert_channels: Path | None = None
    #: What is kept of the runs that are over: days, runs, MiB on disk; None keeps all.
    keep_days: int | None = None
    keep_runs: int | None = None
    keep_mb: int | None = None
    #: History databases that runs may name besides those in the history folder.
    history_dbs: tuple[tuple[str, Path], ...] = ()
    #: What is kept of the history: days, executions, MiB; None keeps all.
    history_days: int | None = None
    history_max_runs: int | None = None
    history_max_mb: int | None = None
    #: Price of an hour of one CPU core and of one GiB of memory; None: by the table.
    cost_cpu_hour: float | None = None
    cost_memory_gib_hour: float | None = None
    #: Currency of the two, three capital letters.
    cost_currency: str | None = None
    #: ``provider/region/type`` of the price table, and another table than ours.
    cost_instance: str | None = None
    cost_prices: Path | None = None
    #: Whether the dashboard's files are read again when they change.
    development: bool = False

    @property
    def runs_dir(self) -> Path:
        """Folder with one folder per run."""
        return self.data_dir / "runs"

    @property
    def scripts_dir(self) -> Path:
        """Folder that keeps the bytes of each script once, by sha256."""
        return self.data_dir / "scripts"

    @property
    def scans_dir(self) -> Path:
        """Folder that keeps the reports of scans by content."""
        return self.data_dir / "scans"

    @property
    def advisory_path(self) -> Path:
        """Where the known vulnerabilities are, or would be."""
        return self.advisory_db or self.data_dir / "advisories.json.gz"

    @property
    def history_dir(self) -> Path:
        """Folder with the history databases that runs have asked for."""
        return self.data_dir / "history"

    @property
    def run_rounds_path(self) -> Path:
        """File whose time tells when old runs were last removed."""
        return self.data_dir / "run-retention.stamp"

    @property
    def history_rounds_path(self) -> Path:
        """File whose time tells when the history was last cut back."""
        return self.data_dir / "retention.stamp"

    def to_json(self) -> str:
        """Return all fields as JSON text for ``from_json``."""
        return json.dumps(asdict(self), default=str)

    @classmethod
    def from_json(cls, text: str) -> "Settings":
        """Return the settings that ``to_json`` wrote."""
        raw: dict[str, Any] = json.loads(text)
        known = {each.name for each in fields(cls)}
        values = {name: value for name, value in raw.items() if name in known}
        for name in _TUPLES:
            values[name] = tuple(values[name])
        values["allowed_roots"] = tuple(Path(each) for each in values["allowed_roots"])
        values["library_roots"] = tuple(Path(each) for each in values["library_roots"])
        values["data_dir"] = Path(values["data_dir"])
        values["history_dbs"] = tuple(
            (name, Path(each)) for name, each in values["history_dbs"]
        )
        for name in _PATHS:
            if values.get(name):
                values[name] = Path(values[name])
        return cls(**values)

    def with_changes(self, **changes: Any) -> "Settings":
        """Return a copy with some fields changed (tests and the command line)."""
        return replace(self, **changes)


class SettingsError(ScriptRunnerError):
    """An environment variable has a value that cannot be used."""

    code = "invalid_settings"

    def __init__(self, problems: Sequence[str]) -> None:
        """Keep ``problems``: one sentence each, which names the variable."""
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Return the settings that ``environ`` (by default the process's own) asks for.

    Relative paths are below the project folder, so that nothing depends on the current
    one. Unknown ``WEBAPI_`` names are warned about. Nothing is created.

    Raises:
        SettingsError: If a value is ambiguous, out of range, or names a folder or file
            that is missing; all problems at once.
    """
    from scriptrunner.settings.environment import read  # noqa: PLC0415 - loads Pydantic

    return read(os.environ if environ is None else environ)
