"""``python runner.py [options] script.py [args...]``: run one script from the shell."""

import json
import sys
from pathlib import Path
from typing import Any

import click

from scriptrunner import __version__
from scriptrunner.cli.run_options import run_options, to_request
from scriptrunner.cli.script_session import ScriptSession, note, tell_gates
from scriptrunner.cli.words import describe_plan, list_findings
from scriptrunner.engine.option_forms import VISUALIZER_FORMATS
from scriptrunner.engine.paths import (
    InvalidScriptPathError,
    NotPythonError,
    ScriptMissingError,
)
from scriptrunner.engine.runner import GRACE_SECONDS
from scriptrunner.engine.scans.kinds import BLOCK_LEVELS, DEFAULT_BLOCK
from scriptrunner.engine.steps.prices import PriceChoice, PriceError, find_rates
from scriptrunner.engine.visualizer import ExecutionVisualizer
from scriptrunner.errors import ScriptRunnerError
from scriptrunner.standalone import ScriptRunner

#: Bytes kept per stream: what was shown is given back, so only a slow reader needs room.
MAX_OUTPUT_BYTES = 1 << 50

#: Errors that are about the script and not about an option.
SCRIPT_ERRORS = (InvalidScriptPathError, ScriptMissingError, NotPythonError)
#: Options whose names here are not those of the engine.
OPTION_NAMES = {
    "alerts[": "--alert [",
    "env_vars": "--env",
    "history_db": "--history-db",
    "junit_output": "--junit",
    "load_baseline": "--load-baseline",
    "monitor_interval": "--monitor-interval",
    "performance_gates[": "--gate [",
    "retry_initial_delay": "--retry-delay",
    "retry_max_time": "--retry-max-time",
    "save_baseline": "--save-baseline",
    "working_dir": "--working-dir",
}

EPILOG = """\b
Examples:
  python runner.py report.py --month 11
  python runner.py --timeout 60 --retry 3 fetch.py
  python runner.py --visualize --json etl.py > result.json
  python runner.py --gate 'memory<=512' --junit out/junit.xml etl.py

The script runs in the current folder with your environment, and its output appears as
it comes, byte for byte. Its standard input is empty. Whatever processes it leaves behind
end with it. Ctrl-C stops it (SIGTERM, so that its handlers run); Ctrl-C again kills it.

\b
Exit code: the script's own, or
  1        it succeeded, but a --gate does not hold
  2        these options cannot be used
  124      it took longer than --timeout
  125      the process that watches it vanished
  126      it could not be started
  128+n    it died of signal n, or was stopped by signal n (130: Ctrl-C)
"""


def _parse_env(
    _context: click.Context, _option: click.Parameter, values: tuple[str, ...]
) -> dict[str, str]:
    """Return ``NAME=VALUE`` texts as a mapping; the last of a name wins."""
    pairs = [text.partition("=") for text in values]
    for name, sign, _ in pairs:
        if not name or not sign:
            raise click.BadParameter(f"{name!r} is not of the form NAME=VALUE")
    return {name: value for name, _, value in pairs}


@click.command(
    context_settings={
        "allow_interspersed_args": False,  # what follows the script is the script's
        "help_option_names": ["-h", "--help"],
        "max_content_width": 88,
    },
    epilog=EPILOG,
)
@click.option(
    "-t",
    "--timeout",
    type=click.IntRange(1, 604_800),
    metavar="SECONDS",
    help="End an attempt that takes longer: SIGTERM, the grace, SIGKILL.",
)
@click.option(
    "-r",
    "--retry",
    "retries",
    type=click.IntRange(0, 19),
    default=0,
    metavar="N",
    help="Try up to N times more if it fails or times out.  [default: 0]",
)
@click.option(
    "--grace",
    type=click.FloatRange(0, 300),
    default=GRACE_SECONDS,
    metavar="SECONDS",
    help="From SIGTERM to SIGKILL.  [default: 10]",
)
@click.option(
    "-e",
    "--env",
    multiple=True,
    metavar="NAME=VALUE",
    callback=_parse_env,
    help="Set a variable for the script; may be repeated.",
)
@click.option(
    "--working-dir",
    type=click.Path(exists=True, file_okay=False),
    metavar="FOLDER",
    help="Folder it starts in.  [default: the current one]",
)
@run_options
@click.option(
    "--scan-block",
    type=click.Choice(BLOCK_LEVELS, case_sensitive=False),
    default=DEFAULT_BLOCK,
    help=f"Least severity of a finding that keeps SCRIPT from starting."
    f"  [default: {DEFAULT_BLOCK}]",
)
@click.option(
    "--advisory-db",
    type=click.Path(exists=True),
    metavar="FILE",
    help="Known vulnerabilities (OSV) for --dependency-scan.",
)
@click.option(
    "--cost-instance",
    metavar="NAME",
    help="Machine of the price table, such as aws/us-east-1/m7g.large.",
)
@click.option(
    "--visualize", is_flag=True, help="Report the steps of the run at its end."
)
@click.option(
    "--visualize-format",
    type=click.Choice(VISUALIZER_FORMATS),
    help="Form of that report; implies --visualize.  [default: text]",
)
@click.option(
    "--visualize-output",
    type=click.Path(dir_okay=False, writable=True, allow_dash=True),
    metavar="FILE",
    help="Where that report goes; implies --visualize.  [default: standard error]",
)
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="Print the result as JSON instead of the script's output: how it ended, the"
    " last 64 KiB of each stream, all metrics.",
)
@click.version_option(__version__, "-V", "--version", prog_name="Script Runner")
@click.argument("script", type=click.Path())
@click.argument("args", nargs=-1, type=click.UNPROCESSED)
def command(script: str, args: tuple[str, ...], as_json: bool, **given: Any) -> None:
    """Run SCRIPT, a Python file, with ARGS: watched, timed and, if asked for, retried.

    Options come before SCRIPT; everything after it belongs to the script.
    """
    wants_report = any(
        given[name] for name in ("visualize", "visualize_format", "visualize_output")
    )
    _check_report_file(given["visualize_output"])
    session = ScriptSession(is_live=not as_json)
    options = {
        "timeout": given["timeout"],
        "retry_on_failure": given["retries"] > 0,
        "retry_max_attempts": given["retries"] + 1,
        "env_vars": given["env"],
        "working_dir": given["working_dir"] or str(Path.cwd()),
        "dry_run": given["dry_run"],
        "enable_visualizer": wants_report,
        "visualizer_format": given["visualize_format"] or "text",
        **to_request(given),
    }
    try:
        runner = ScriptRunner(
            script,
            args=args,
            grace_seconds=given["grace"],
            max_output_bytes=MAX_OUTPUT_BYTES,
            scan_block=given["scan_block"],
            advisory_db=given["advisory_db"],
            prices=_find_prices(given["cost_instance"]),
            on_output=session.receive,
            on_event=session.tell,
            **options,
        )
    except ScriptRunnerError as error:
        raise click.UsageError(_explain(error, script)) from error
    if given["dry_run"]:
        _print_plan(runner.run(), as_json=as_json)
        return
    result, code = session.run(runner)
    if result is not None:
        tell_gates(result)
        for line in list_findings(result):
            note(line)
        _print_result(result, as_json=as_json, report_file=given["visualize_output"])
    sys.exit(code)


def _explain(error: ScriptRunnerError, script: str) -> str:
    """Return what is wrong in the words of the command line."""
    if isinstance(error, SCRIPT_ERRORS):
        return f"{error.message} ({script})"
    text = error.message
    for name, option in OPTION_NAMES.items():
        text = text.replace(name, option)
    return text


def _find_prices(instance: str | None) -> PriceChoice:
    """Return which prices count, after a look into the table."""
    choice = PriceChoice(instance=instance)
    if instance is not None:
        try:
            find_rates(choice)
        except PriceError as error:
            hint = "'--cost-instance'"
            raise click.BadParameter(str(error), param_hint=hint) from None
    return choice


def _check_report_file(name: str | None) -> None:
    """Refuse a report file that cannot be written, before anything is started."""
    if name not in (None, "-") and not Path(str(name)).parent.is_dir():
        raise click.BadParameter(
            f"the folder of {name!r} does not exist; make it first",
            param_hint="'--visualize-output'",
        )


def _print_plan(plan: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(plan, indent=2))
        return
    click.echo(describe_plan(plan).encode("utf-8", "surrogateescape"))


def _print_result(
    result: dict[str, Any], *, as_json: bool, report_file: str | None
) -> None:
    report = result["visualization_report"]
    if report is not None:
        _write_report(report, report_file)
    if as_json:
        click.echo(json.dumps(result, indent=2))


def _write_report(report: dict[str, Any], file: str | None) -> None:
    """Write the step report; a file that cannot be written never changes the exit code."""
    visualizer = ExecutionVisualizer(report)
    as_text = "text" in report
    text = (
        visualizer.to_text()
        if as_text
        else json.dumps(visualizer.to_json(), indent=2) + "\n"
    )
    if file in (None, "-"):
        click.echo(text, nl=False, err=file is None)
        return
    try:
        Path(str(file)).write_text(text, encoding="utf-8")
    except OSError as error:
        note(f"the report could not be written to {file}: {error.strerror}")


def main() -> None:
    """Run the command; never returns."""
    command(prog_name="runner.py")
