"""The environment of a script: built, never inherited by accident.

Names that change which code runs are dropped, whoever asks; the service's own names
cannot be forged. Well-formedness of names and sizes is checked by ``RunOptions``.
"""

import os
import pwd
import re
from collections.abc import Collection, Mapping
from functools import lru_cache

#: Standard folders of programs, on every machine the same.
FIXED_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

#: Names (in capitals) that a caller cannot set, in any case.
DENIED_NAMES = frozenset(
    {
        "PATH",
        "IFS",
        "ENV",
        "BASH_ENV",
        "SHELLOPTS",
        "BASHOPTS",
        "PS4",
        "PROMPT_COMMAND",
        "CDPATH",
        "GLOBIGNORE",
        "HOME",
        "GLIBC_TUNABLES",
        "GCONV_PATH",
        "LOCPATH",
        "NLSPATH",
        "RES_OPTIONS",
        "HOSTALIASES",
        "VIRTUAL_ENV",
        "RUBYOPT",
        "RUBYLIB",
        "NODE_OPTIONS",
        "NODE_PATH",
        "JAVA_TOOL_OPTIONS",
        "_JAVA_OPTIONS",
        "DOTNET_STARTUP_HOOKS",
        "OPENSSL_CONF",
        "REQUESTS_CA_BUNDLE",
        "CURL_CA_BUNDLE",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "RUN_ID",
    }
)
#: Beginnings (in capitals) of such names.
DENIED_PREFIXES = (
    "LD_",
    "DYLD_",
    "MALLOC_",
    "PYTHON",
    "PERL5",
    "GIT_",
    "SSH_",
    "SSL_CERT_",
    "WEBAPI_",
    "SCRIPT_RUNNER_",
)
#: Exceptions from ``PYTHON*`` that only change how text goes in and out.
HARMLESS_NAMES = frozenset(
    {"PYTHONUNBUFFERED", "PYTHONUTF8", "PYTHONIOENCODING", "PYTHONHASHSEED"}
)
#: Denied names that an administrator may permit.
PERMITTABLE_NAMES = frozenset({"HOME", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"})

_SECRET_NAME = re.compile(r"pass|secret|token|key|cred|auth|dsn|cookie", re.IGNORECASE)
#: What is shown in place of a secret value.
MASK = "***"


def is_denied_name(name: str, *, permitted: Collection[str] = ()) -> bool:
    """Return whether callers may not set ``name``, compared without case.

    Args:
        name: Name of an environment variable.
        permitted: Names of ``PERMITTABLE_NAMES`` that this caller may set after all.
    """
    upper = name.upper()
    if upper in HARMLESS_NAMES:
        return False
    if upper in PERMITTABLE_NAMES and upper in {each.upper() for each in permitted}:
        return False
    return upper in DENIED_NAMES or upper.startswith(DENIED_PREFIXES)


def split_environment(
    env_vars: Mapping[str, str], *, permitted: Collection[str] = ()
) -> tuple[dict[str, str], list[str]]:
    """Split what a caller asks for into what is kept and what is ignored.

    Args:
        env_vars: Values by name, well-formed.
        permitted: Names of ``PERMITTABLE_NAMES`` that this caller may set after all.

    Returns:
        The kept variables, and the ignored names in the order they came.
    """
    kept: dict[str, str] = {}
    ignored: list[str] = []
    for name, value in env_vars.items():
        if is_denied_name(name, permitted=permitted):
            ignored.append(name)
        else:
            kept[name] = value
    return kept, ignored


def build_environment(
    *,
    settings_pass: Mapping[str, str],
    caller: Mapping[str, str],
    service: Mapping[str, str],
    temporary_dir: str | None = None,
) -> dict[str, str]:
    """Return the whole environment of a script; later sources win over earlier ones.

    Args:
        settings_pass: What the administrator passes on from the service's environment.
        caller: What ``split_environment`` kept of the request.
        service: The service's own names, such as ``RUN_ID``; nobody overwrites them.
        temporary_dir: The run's folder for temporary files, or None to name none.
    """
    environment = fixed_environment()
    if temporary_dir is not None:
        environment["TMPDIR"] = temporary_dir
    environment.update(settings_pass)
    environment.update(caller)
    environment.update(service)
    return environment


def fixed_environment() -> dict[str, str]:
    """Return the part that is the same for every run of this user."""
    user, home = _find_user(os.getuid())
    return {
        "PATH": FIXED_PATH,
        "HOME": home,
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "USER": user,
        "PYTHONUNBUFFERED": "1",
        "PYTHONIOENCODING": "utf-8:backslashreplace",
    }


@lru_cache(maxsize=1)
def _find_user(uid: int) -> tuple[str, str]:
    """Return name and home; asked once, as the system reads a file for every answer."""
    try:
        entry = pwd.getpwuid(uid)
    except KeyError:
        # A container may run under a number that has no entry.
        return str(uid), "/"
    return entry.pw_name, entry.pw_dir


def is_secret_name(name: str) -> bool:
    """Return whether the value of ``name`` must not be shown."""
    return _SECRET_NAME.search(name) is not None


def mask(env_vars: Mapping[str, str]) -> dict[str, str]:
    """Return a copy in which secret values are ``***``."""
    return {
        name: MASK if is_secret_name(name) else value
        for name, value in env_vars.items()
    }
