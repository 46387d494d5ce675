"""Options of a run on the command line, the same for ``runner.py`` and ``scriptrunner run``.

Each option is one field of a run request; ``to_request`` gives those that were used.
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click

from scriptrunner.engine.option_forms import LOG_LEVELS, RETRY_STRATEGIES
from scriptrunner.engine.rules import SEVERITIES

Command = TypeVar("Command", bound=Callable[..., Any])

#: Environment variable from which the webhook is taken, so that no other user sees it.
WEBHOOK_VARIABLE = "SLACK_WEBHOOK_URL"
_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_GATE = re.compile(
    rf"\s*(?:(?P<low>{_NUMBER})\s*<=\s*)?(?P<metric>\w+)"
    rf"(?:\s*(?P<sign><=|>=)\s*(?P<bound>{_NUMBER}))?\s*"
)


def _parse_gates(
    _context: click.Context, _option: click.Parameter, values: tuple[str, ...]
) -> list[dict[str, Any]]:
    return [parse_gate(text) for text in values]


def parse_gate(text: str) -> dict[str, Any]:
    """Return the gate that ``METRIC<=N``, ``METRIC>=N`` or ``N<=METRIC<=N`` means.

    Raises:
        click.BadParameter: If it is neither of these, nor a JSON object.
    """
    if text.lstrip().startswith("{"):
        return _parse_object(text)
    found = _GATE.fullmatch(text)
    low, sign = (None, None) if found is None else (found["low"], found["sign"])
    is_ambiguous = low is not None and sign == ">="
    if found is None or (low is None and sign is None) or is_ambiguous:
        raise click.BadParameter(
            f"{text!r} is no gate; write METRIC<=NUMBER, METRIC>=NUMBER or"
            " NUMBER<=METRIC<=NUMBER"
        )
    gate: dict[str, Any] = {"metric": found["metric"]}
    if low is not None:
        gate["min_value"] = float(low)
    if sign is not None:
        name = "max_value" if sign == "<=" else "min_value"
        gate[name] = float(found["bound"])
    return gate


def _parse_alerts(
    _context: click.Context, _option: click.Parameter, values: tuple[str, ...]
) -> list[dict[str, Any]]:
    return [parse_alert(text) for text in values]


def parse_alert(text: str) -> dict[str, Any]:
    """Return the alert rule that ``CONDITION`` or ``NAME: CONDITION`` means.

    Raises:
        click.BadParameter: If it begins like a JSON object and is none.
    """
    if text.lstrip().startswith("{"):
        return _parse_object(text)
    name, sign, condition = text.partition(":")
    if not sign:
        return {"condition": text.strip()}
    return {"name": name.strip(), "condition": condition.strip()}


def _parse_object(text: str) -> dict[str, Any]:
    try:
        value: dict[str, Any] = json.loads(text)
    except ValueError as error:
        raise click.BadParameter(f"{text!r} is no JSON: {error}") from None
    return value


_RETRY_OPTIONS = (
    click.option(
        "--retry-strategy",
        type=click.Choice(RETRY_STRATEGIES),
        help="How the pauses grow.  [default: exponential]",
    ),
    click.option(
        "--retry-delay",
        "retry_initial_delay",
        type=click.FloatRange(0, 86_400),
        metavar="SECONDS",
        help="First pause before a retry.  [default: 1]",
    ),
    click.option(
        "--retry-max-delay",
        type=click.FloatRange(0, 86_400),
        metavar="SECONDS",
        help="No pause is longer.  [default: 60]",
    ),
    click.option(
        "--retry-multiplier",
        type=click.FloatRange(1, 100),
        metavar="N",
        help="Growth of the exponential strategies.  [default: 2]",
    ),
    click.option(
        "--retry-max-time",
        type=click.FloatRange(0, 604_800),
        metavar="SECONDS",
        help="No retry begins later than this after the first start.  [default: 300]",
    ),
)
_STEP_OPTIONS = (
    click.option(
        "--monitor-interval",
        type=click.FloatRange(0.05, 60),
        metavar="SECONDS",
        help="Time between samples of CPU and memory.  [default: 0.1]",
    ),
    click.option(
        "--log-level",
        type=click.Choice(LOG_LEVELS, case_sensitive=False),
        help="Lowest level of the run's events; the script sees it, too."
        "  [default: INFO]",
    ),
    click.option(
        "--gate",
        "performance_gates",
        multiple=True,
        metavar="GATE",
        callback=_parse_gates,
        help="Fail the run unless METRIC<=NUMBER (or >=) holds; may be repeated.",
    ),
    click.option(
        "--junit",
        "junit_output",
        metavar="FILE",
        help="Write a JUnit report.",
    ),
    click.option(
        "--save-baseline",
        metavar="NAME",
        help="Keep the metrics as a baseline if the run succeeds.",
    ),
    click.option(
        "--load-baseline",
        metavar="NAME",
        help="Compare the metrics with those of a baseline.",
    ),
    click.option(
        "--alert",
        "alerts",
        multiple=True,
        metavar="RULE",
        callback=_parse_alerts,
        help="Tell somebody if a condition holds, such as 'slow: duration > 10'; may be"
        " repeated.",
    ),
    click.option(
        "--alert-channel",
        "alert_channels",
        multiple=True,
        metavar="NAME",
        help="Where alerts go: slack, webhook, email, log, or a configured name; may be"
        " repeated.",
    ),
    click.option(
        "--alert-severity",
        type=click.Choice(SEVERITIES, case_sensitive=False),
        help="How bad they are.  [default: WARNING]",
    ),
    click.option(
        "--slack-webhook",
        envvar=WEBHOOK_VARIABLE,
        metavar="URL",
        help=f"Address for the channel slack; better set {WEBHOOK_VARIABLE}.",
    ),
    click.option(
        "--code-analysis",
        "enable_code_analysis",
        is_flag=True,
        help="Look for dangerous code before the start.",
    ),
    click.option(
        "--secret-scan",
        "enable_secret_scanning",
        is_flag=True,
        help="Look for secrets in the script before the start.",
    ),
    click.option(
        "--dependency-scan",
        "enable_dependency_scanning",
        is_flag=True,
        help="Look for known holes in what the script requires.",
    ),
    click.option(
        "--cost",
        "enable_cost_tracking",
        is_flag=True,
        help="Estimate what the run has cost.",
    ),
    click.option(
        "--history-db",
        metavar="NAME",
        help="Keep the metrics in this history.",
    ),
    click.option(
        "--no-history",
        is_flag=True,
        help="Keep the metrics in no history.",
    ),
)
#: Options whose value is a field as it is.
_FIELDS = (
    "retry_strategy",
    "retry_initial_delay",
    "retry_max_delay",
    "retry_multiplier",
    "retry_max_time",
    "monitor_interval",
    "log_level",
    "performance_gates",
    "junit_output",
    "save_baseline",
    "load_baseline",
    "slack_webhook",
    "enable_code_analysis",
    "enable_secret_scanning",
    "enable_dependency_scanning",
    "enable_cost_tracking",
    "history_db",
)


def run_options(command: Command) -> Command:
    """Add the options that are the same wherever a run is started."""
    for option in reversed((*_RETRY_OPTIONS, *_STEP_OPTIONS)):
        command = option(command)
    return command


def to_request(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a run request that were asked for; others have their defaults.

    Args:
        given: Values of the options by parameter name.
    """
    request = {name: given[name] for name in _FIELDS if given[name] not in (None, [])}
    request = {name: value for name, value in request.items() if value is not False}
    if given["no_history"]:
        request["enable_history"] = False
    if given["alerts"]:
        request["alerts"] = [_complete(rule, given) for rule in given["alerts"]]
    return request


def _complete(rule: dict[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Give a rule the channels and the severity of all, unless it has its own."""
    full = dict(rule)
    if given["alert_channels"]:
        full.setdefault("channels", list(given["alert_channels"]))
    if given["alert_severity"]:
        full.setdefault("severity", given["alert_severity"])
    return full
