"""The variables of the environment: their names, ranges, and how each is understood.

An ambiguous value is refused; the refusal names the variable and what it takes.
"""

import difflib
import logging
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import quote, unquote

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    FiniteFloat,
    ValidationError,
)

from scriptrunner.settings import (
    PROJECT_FOLDER,
    Settings,
    SettingsError,
    alerting,
    default_slots,
)

logger = logging.getLogger(__name__)

#: Every variable of the service begins so.
PREFIX = "WEBAPI_"
#: Variables with our prefix that are read elsewhere: by the command line's client, by the
#: fault tests, and those that a script of a run sees.
OTHER_VARIABLES = frozenset(
    {
        "WEBAPI_URL",
        "WEBAPI_TOKEN",
        "WEBAPI_FAULT",
        "WEBAPI_FAULT_DIR",
        "WEBAPI_RUN_DIR",
        "WEBAPI_RUN_ID",
    }
)
#: Schemes of a database URL; the second part is what SQLAlchemy calls it.
DATABASE_SCHEMES = {
    "sqlite": "sqlite",
    "postgresql": "postgresql",
    "postgres": "postgresql",
    "postgresql+psycopg": "postgresql+psycopg",
}
ENVIRONMENT_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
#: Name of a history database.
ALIAS = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
HOST_AND_PORT = re.compile(r"(?P<host>[^:]+)(:[0-9]{1,5})?")
HOST_NAME = re.compile(r"(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_-]+)*")


_DEFAULT: dict[str, Any] = {each.name: each.default for each in fields(Settings)}
_Switch = Literal["on", "log", "off"]
_Severity = Annotated[
    Literal["LOW", "MEDIUM", "HIGH", "CRITICAL", "NONE"], BeforeValidator(str.upper)
]
_Count = Annotated[int, Field(ge=1, le=1_000_000)]
_Size = Annotated[int, Field(ge=0, le=1 << 50)]
_Price = Annotated[FiniteFloat, Field(ge=0, le=1e9)]
_Seconds = Annotated[FiniteFloat, Field(ge=0, le=86_400)]
_Days = Annotated[int, Field(ge=1, le=36_500)]
_Many = Annotated[int, Field(ge=1, le=1_000_000_000)]
_Mebibytes = Annotated[int, Field(ge=1, le=1 << 30)]


class Environment(BaseModel):
    """The variables as they are written: a field each, named without the prefix.

    Defaults are those of ``Settings`` where it has them. (The library for such models,
    pydantic-settings, would cost every start 60 ms and 4 MB.)
    """

    # A refused value may be a secret: errors do not repeat it.
    model_config = ConfigDict(hide_input_in_errors=True)

    run_db: str | None = None
    data_dir: str | None = None
    allowed_root: str | None = None
    python: str | None = None
    slots: Annotated[int, Field(ge=1, le=1_000)] = default_slots()
    queue_limit: _Count = _DEFAULT["queue_limit"]
    stop_grace: Annotated[FiniteFloat, Field(ge=0, le=300)] = _DEFAULT[
        "stop_grace_seconds"
    ]
    max_output: Annotated[int, Field(ge=4096, le=1 << 50)] = _DEFAULT[
        "max_output_bytes"
    ]
    pass_env: str | None = None
    linger: _Seconds = _DEFAULT["linger_seconds"]
    durability: Literal["process", "power"] = _DEFAULT["durability"]
    database_wait: _Seconds = _DEFAULT["database_wait_seconds"]
    disk_margin: _Size = _DEFAULT["disk_margin_bytes"]
    ballast: _Size = _DEFAULT["ballast_bytes"]
    hosts: str | None = None
    local_role: Literal["admin", "none"] = _DEFAULT["local_role"]
    local_uids: str | None = None
    rule_uid: _Switch = _DEFAULT["rule_uid"]
    rule_http10: _Switch = _DEFAULT["rule_http10"]
    admin_token_file: str | None = None
    post_rate: Annotated[FiniteFloat, Field(gt=0, le=1e6)] = _DEFAULT[
        "post_rate_per_second"
    ]
    post_burst: _Count = _DEFAULT["post_burst"]
    streams_limit: _Count = _DEFAULT["streams_limit"]
    streams_per_caller: _Count = _DEFAULT["streams_per_caller"]
    scan_block: _Severity = _DEFAULT["scan_block"]
    advisory_db: str | None = None
    library_roots: str | None = None
    output_root: str | None = None
    webhook_hosts: str | None = None
    webhook_internal_hosts: str | None = None
    slack_webhook: str | None = None
    alert_webhook: str | None = None
    smtp_host: Annotated[str, Field(pattern=r"^[!-~]{1,255}$")] | None = None
    smtp_port: Annotated[int, Field(ge=1, le=65_535)] | None = None
    smtp_tls: Literal["starttls", "tls", "none"] = _DEFAULT["smtp_tls"]
    smtp_user: str | None = None
    smtp_password_file: str | None = None
    alert_email_from: str | None = None
    alert_email_to: str | None = None
    alert_channels: str | None = None
    keep_days: _Days | None = None
    keep_runs: _Many | None = None
    keep_mb: _Mebibytes | None = None
    history_dbs: str | None = None
    history_days: _Days | None = None
    history_max_runs: _Many | None = None
    history_max_mb: _Mebibytes | None = None
    cost_cpu_hour: _Price | None = None
    cost_memory_gib_hour: _Price | None = None
    cost_currency: Annotated[str, Field(pattern="^[A-Z]{3}$")] | None = None
    cost_instance: str | None = None
    cost_prices: str | None = None
    development: bool = _DEFAULT["development"]


#: Variables whose value is taken over as it is: name without prefix → field.
PLAIN_VARIABLES = {
    "slots": "slots",
    "queue_limit": "queue_limit",
    "stop_grace": "stop_grace_seconds",
    "max_output": "max_output_bytes",
    "linger": "linger_seconds",
    "durability": "durability",
    "database_wait": "database_wait_seconds",
    "disk_margin": "disk_margin_bytes",
    "ballast": "ballast_bytes",
    "local_role": "local_role",
    "rule_uid": "rule_uid",
    "rule_http10": "rule_http10",
    "post_rate": "post_rate_per_second",
    "post_burst": "post_burst",
    "streams_limit": "streams_limit",
    "streams_per_caller": "streams_per_caller",
    "smtp_host": "smtp_host",
    "scan_block": "scan_block",
    "smtp_port": "smtp_port",
    "smtp_tls": "smtp_tls",
    "smtp_user": "smtp_user",
    "keep_days": "keep_days",
    "keep_runs": "keep_runs",
    "keep_mb": "keep_mb",
    "history_days": "history_days",
    "history_max_runs": "history_max_runs",
    "history_max_mb": "history_max_mb",
    "cost_cpu_hour": "cost_cpu_hour",
    "cost_memory_gib_hour": "cost_memory_gib_hour",
    "cost_currency": "cost_currency",
    "cost_instance": "cost_instance",
    "development": "development",
}


def read(environ: Mapping[str, str]) -> Settings:
    """Return the settings that ``environ`` asks for; see ``load_settings``."""
    warn_of_unknown(environ)
    raw = _read_environment(environ)
    values: dict[str, Any] = {
        field_name: getattr(raw, name) for name, field_name in PLAIN_VARIABLES.items()
    }
    values["python"] = sys.executable
    problems: list[str] = []
    parsers: dict[str, Callable[[str], dict[str, Any]]] = {
        "run_db": lambda text: _database(text, raw.data_dir),
        "allowed_root": _folders,
        "python": _interpreter,
        "pass_env": _environment_names,
        "hosts": _host_names,
        "local_uids": _user_ids,
        "admin_token_file": partial(_existing_file, "admin_token_file"),
        "advisory_db": lambda text: {"advisory_db": _path(text)},
        "library_roots": lambda text: {
            "library_roots": _folders(text)["allowed_roots"]
        },
        "output_root": _output_root,
        "webhook_hosts": partial(_webhook_hosts, "webhook_hosts"),
        "webhook_internal_hosts": partial(_webhook_hosts, "webhook_internal_hosts"),
        "slack_webhook": partial(alerting.parse_webhook, "slack_webhook"),
        "alert_webhook": partial(alerting.parse_webhook, "alert_webhook"),
        "smtp_password_file": partial(_existing_file, "smtp_password_file"),
        "alert_email_from": _sender,
        "alert_email_to": lambda text: alerting.parse_addresses(
            "alert_email_to", _listed(text)
        ),
        "alert_channels": lambda text: alerting.parse_channels(_path(text)),
        "history_dbs": _history_files,
        "cost_prices": partial(_existing_file, "cost_prices"),
    }
    for name, parse in parsers.items():
        try:
            text = getattr(raw, name)
            values |= parse(text) if text else {}
        except ValueError as error:
            problems.append(f"{PREFIX}{name.upper()} {error}")
    rates = (raw.cost_cpu_hour, raw.cost_memory_gib_hour)
    if raw.cost_currency is not None and None in rates:
        problems.append(
            f"{PREFIX}COST_CURRENCY needs {PREFIX}COST_CPU_HOUR and"
            f" {PREFIX}COST_MEMORY_GIB_HOUR: no price is converted"
        )
    if problems:
        raise SettingsError(problems)
    if "database_url" not in values:
        values |= _database_in(
            _path(raw.data_dir) if raw.data_dir else default_data_dir()
        )
    values.setdefault("allowed_roots", (base_folder(),))
    return Settings(**values)


def known_variables() -> tuple[str, ...]:
    """Return the names of all variables that ``load_settings`` reads."""
    return tuple(f"{PREFIX}{name.upper()}" for name in Environment.model_fields)


def warn_of_unknown(environ: Mapping[str, str]) -> list[str]:
    """Log and return one sentence per ``WEBAPI_`` name that nothing reads."""
    ours = [name for name in sorted(environ) if name.startswith(PREFIX)]
    if not ours:
        return []
    known = known_variables()
    sentences = []
    for name in ours:
        if name in known or name in OTHER_VARIABLES:
            continue
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.75)
        hint = f"; did you mean {near[0]}?" if near else ""
        sentences.append(
            f"{name} is not a setting of this version and has no effect{hint}"
        )
    for sentence in sentences:
        logger.warning("%s", sentence, extra={"action": "unknown_setting"})
    return sentences


def _read_environment(environ: Mapping[str, str]) -> Environment:
    given = {
        name: text
        for name in Environment.model_fields
        if (text := environ.get(f"{PREFIX}{name.upper()}"))
    }
    try:
        return Environment.model_validate(given)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False)
        raise SettingsError(
            [
                f"{PREFIX}{str(fault['loc'][0]).upper()}: {fault['msg']}"
                for fault in faults
            ]
        ) from None


def is_checkout() -> bool:
    """Return whether the package runs from a checkout and not from an installed wheel."""
    return (PROJECT_FOLDER / "WEBAPI").is_dir()


def default_data_dir() -> Path:
    """Return where data go when nothing is said: ``data`` in the project folder.

    An installed package has no project folder: there it is the user's data folder.
    """
    if is_checkout():
        return PROJECT_FOLDER / "data"
    home = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(home) / "scriptrunner"


def base_folder() -> Path:
    """Return the folder that relative paths are below, and the default allowed root.

    It is the project folder. An installed package has none: there it is the user's home.
    """
    return PROJECT_FOLDER if is_checkout() else Path.home()


def _path(text: str) -> Path:
    """Return ``text`` as an absolute path; relative ones are below ``base_folder``."""
    if "\0" in text:
        raise ValueError("must not contain a NUL character")
    path = Path(os.path.normpath(Path(text).expanduser()))
    return path if path.is_absolute() else base_folder() / path


def _database_in(folder: Path) -> dict[str, Any]:
    return {
        "database_url": f"sqlite:///{quote(str(folder / 'runs.db'))}",
        "data_dir": folder,
    }


def _database(text: str, data_dir: str | None) -> dict[str, Any]:
    scheme, separator, rest = text.partition("://")
    if separator and scheme not in DATABASE_SCHEMES:
        raise ValueError(
            f"must be a file path or begin with one of {_joined(DATABASE_SCHEMES)}"
        )
    if separator and scheme != "sqlite":
        folder = _path(data_dir) if data_dir else default_data_dir()
        return {
            "database_url": f"{DATABASE_SCHEMES[scheme]}://{rest}",
            "data_dir": folder,
        }
    file_text = unquote(rest.removeprefix("/")) if separator else text
    if not file_text or file_text == ":memory:" or "?" in file_text:
        raise ValueError(
            "must name a database file; a database in memory keeps nothing"
        )
    file = _path(file_text)
    if file.is_dir():
        raise ValueError("must name a file, not a folder")
    if data_dir and _path(data_dir) != file.parent:
        raise ValueError(
            "and WEBAPI_DATA_DIR disagree: a database file lies in the data folder"
        )
    return {"database_url": f"sqlite:///{quote(str(file))}", "data_dir": file.parent}


def _joined(names: Iterable[str]) -> str:
    return ", ".join(f"{name}://" for name in names)


def _folders(text: str) -> dict[str, Any]:
    paths = tuple(_path(part) for part in text.split(os.pathsep) if part)
    missing = [str(path) for path in paths if not path.is_dir()]
    if missing:
        raise ValueError(f"names a folder that does not exist: {', '.join(missing)}")
    return {"allowed_roots": paths}


def _interpreter(text: str) -> dict[str, Any]:
    found = shutil.which(text if os.sep not in text else str(_path(text)))
    if found is None:
        raise ValueError("must name an executable file")
    return {"python": str(Path(found).absolute())}


def _existing_file(name: str, text: str) -> dict[str, Any]:
    if not _path(text).is_file():
        raise ValueError("must name an existing file")
    return {name: _path(text)}


def _sender(text: str) -> dict[str, Any]:
    (address,) = alerting.parse_addresses("alert_email_from", [text.strip()]).values()
    return {"alert_email_from": address[0]}


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _environment_names(text: str) -> dict[str, Any]:
    names = _listed(text)
    if bad := [name for name in names if not ENVIRONMENT_NAME.fullmatch(name)]:
        raise ValueError(f"must be names separated by commas; {bad[0]!r} is none")
    return {"pass_env": tuple(names)}


def _host_names(text: str) -> dict[str, Any]:
    names = [name.lower().rstrip(".") for name in _listed(text)]
    if bad := [name for name in names if not HOST_NAME.fullmatch(name)]:
        raise ValueError(
            f"must be host names separated by commas, without scheme or port; {bad[0]!r} is none"
        )
    return {"hosts": tuple(names)}


def _output_root(text: str) -> dict[str, Any]:
    if not _path(text).is_dir():
        raise ValueError("must name an existing folder")
    return {"output_root": _path(text)}


def _webhook_hosts(field_name: str, text: str) -> dict[str, Any]:
    names = [name.lower().rstrip(".") for name in _listed(text)]
    for name in names:
        found = HOST_AND_PORT.fullmatch(name)
        if found is None or not HOST_NAME.fullmatch(found["host"]):
            raise ValueError(
                "must be host names, each with a port if it is not 443, separated by"
                f" commas; {name!r} is none"
            )
    return {field_name: tuple(names)}


def _history_files(text: str) -> dict[str, Any]:
    pairs = [part.partition("=") for part in text.split(os.pathsep) if part.strip()]
    named = [(name.strip(), file.strip()) for name, _, file in pairs]
    for name, file in named:
        if not ALIAS.fullmatch(name) or not file:
            raise ValueError(
                "must be name=file, several separated by "
                f"{os.pathsep!r}; a name is letters, digits, dot, _ and -, at most 64"
            )
        if not _path(file).parent.is_dir() or _path(file).is_dir():
            raise ValueError(f"names for {name!r} no file in an existing folder")
    if len({name for name, _ in named}) < len(named):
        raise ValueError("uses a name twice")
    return {"history_dbs": tuple((name, _path(file)) for name, file in named)}


def _user_ids(text: str) -> dict[str, Any]:
    if bad := [
        part for part in _listed(text) if not (part.isascii() and part.isdigit())
    ]:
        raise ValueError(
            f"must be user ids (numbers) separated by commas; {bad[0]!r} is none"
        )
    return {"local_uids": tuple(int(part) for part in _listed(text))}
