"""What a form needs to know of each RunRequest field beyond its type.

``apply`` puts group, order, label, unit, widget and help into the OpenAPI document, as
``x-form`` of each property and ``x-form-groups`` of the schema. The document is then the
only source of the launch form: a new field appears there as soon as it has a hint here,
and a test fails while it has none.
"""

from typing import Any

#: Groups in the order of the form; ``help`` is one sentence below the title, ``more`` the
#: name of what lies behind the group's first fields.
GROUPS: tuple[dict[str, str], ...] = (
    {
        "key": "script",
        "title": "Script",
        "help": "What runs, with what, and where.",
        "more": "Folder & environment",
    },
    {
        "key": "limits",
        "title": "Limits & output",
        "help": "How long it may take, and what is noted while it runs.",
    },
    {
        "key": "retry",
        "title": "Retry",
        "help": "Start it again when it fails or times out.",
    },
    {
        "key": "checks",
        "title": "Checks before the run",
        "help": "What is looked for before anything is started.",
    },
    {
        "key": "gates",
        "title": "Gates & baseline",
        "help": "Bounds the run must keep, and earlier figures to compare with.",
    },
    {
        "key": "history",
        "title": "History, steps & cost",
        "help": "What is kept of the run beyond its record.",
    },
    {
        "key": "alerts",
        "title": "Alerts",
        "help": "Who is told, and when.",
    },
)

#: One hint per field, in the order of the form.
HINTS: dict[str, dict[str, Any]] = {
    "script_path": {
        "group": "script",
        "label": "Script",
        "widget": "script",
        "placeholder": "path/to/script.py",
        "help": "A Python file on the server, absolute or below the allowed folder.",
    },
    "args": {
        "group": "script",
        "label": "Arguments",
        "widget": "args",
        "placeholder": "--day 2026-11-22 'two words'",
        "help": "As in a shell: quotes keep blanks together; nothing is expanded.",
    },
    "working_dir": {
        "group": "script",
        "label": "Working folder",
        "widget": "folder",
        "placeholder": "the folder of the script",
        "help": "A folder on the server below the allowed folder.",
        "advanced": True,
    },
    "env_vars": {
        "group": "script",
        "label": "Environment",
        "widget": "env",
        "help": "Variables for this run. Values of secret-looking names are hidden.",
        "advanced": True,
    },
    "timeout": {
        "group": "limits",
        "label": "Timeout",
        "widget": "number",
        "unit": "s",
        "placeholder": "none",
        "presets": [60, 300, 3600],
        "help": "Per attempt; empty: none.",
    },
    "log_level": {
        "group": "limits",
        "label": "Log level",
        "widget": "select",
        "help": "Lowest level of the run's events; the script sees it as "
        "SCRIPT_RUNNER_LOG_LEVEL.",
        "advanced": True,
    },
    "stream_output": {
        "group": "limits",
        "label": "Copy output to the service log",
        "widget": "switch",
        "help": "The log here is live and complete either way.",
        "advanced": True,
    },
    "monitor_interval": {
        "group": "limits",
        "label": "Sampling interval",
        "widget": "number",
        "unit": "s",
        "help": "Time between two looks at CPU and memory. Never delays the run.",
        "advanced": True,
    },
    "retry_on_failure": {
        "group": "retry",
        "label": "Retry on failure",
        "widget": "switch",
        "help": "Off: exactly one attempt.",
        "advanced": True,
    },
    "retry_max_attempts": {
        "group": "retry",
        "label": "Attempts",
        "widget": "number",
        "help": "At most, the first one included.",
        "shown_when": "retry_on_failure",
        "advanced": True,
    },
    "retry_strategy": {
        "group": "retry",
        "label": "Strategy",
        "widget": "select",
        "help": "How the waits between attempts grow.",
        "shown_when": "retry_on_failure",
        "advanced": True,
    },
    "retry_initial_delay": {
        "group": "retry",
        "label": "First wait",
        "widget": "number",
        "unit": "s",
        "help": "Wait before the second attempt.",
        "shown_when": "retry_on_failure",
        "advanced": True,
    },
    "retry_max_delay": {
        "group": "retry",
        "label": "Longest wait",
        "widget": "number",
        "unit": "s",
        "help": "No single wait is longer.",
        "shown_when": "retry_on_failure",
        "advanced": True,
    },
    "retry_multiplier": {
        "group": "retry",
        "label": "Multiplier",
        "widget": "number",
        "unit": "×",
        "help": "Growth per attempt of the exponential strategies.",
        "shown_when": "retry_on_failure",
        "advanced": True,
    },
    "retry_max_time": {
        "group": "retry",
        "label": "Give up after",
        "widget": "number",
        "unit": "s",
        "help": "No attempt starts later than this after the first.",
        "shown_when": "retry_on_failure",
        "advanced": True,
    },
    "dry_run": {
        "group": "checks",
        "label": "Dry run",
        "widget": "switch",
        "help": "Check everything and show the command; start nothing.",
        "advanced": True,
    },
    "enable_code_analysis": {
        "group": "checks",
        "label": "Code analysis",
        "widget": "switch",
        "help": "Dangerous calls, unsafe settings, syntax errors.",
        "advanced": True,
    },
    "enable_secret_scanning": {
        "group": "checks",
        "label": "Secrets",
        "widget": "switch",
        "help": "Keys, tokens and passwords written into the script.",
        "advanced": True,
    },
    "enable_dependency_scanning": {
        "group": "checks",
        "label": "Dependencies",
        "widget": "switch",
        "help": "Known holes in the packages of requirements.txt.",
        "advanced": True,
    },
    "performance_gates": {
        "group": "gates",
        "label": "Gates",
        "widget": "gates",
        "help": "A run that breaks a bound has failed, even if the script succeeded.",
        "advanced": True,
    },
    "load_baseline": {
        "group": "gates",
        "label": "Compare with",
        "widget": "text",
        "placeholder": "nightly.json",
        "help": "Name of a baseline that an earlier run has saved.",
        "advanced": True,
    },
    "save_baseline": {
        "group": "gates",
        "label": "Save as baseline",
        "widget": "text",
        "placeholder": "nightly.json",
        "help": "Keeps the figures under this name if the run succeeds.",
        "advanced": True,
    },
    "junit_output": {
        "group": "gates",
        "label": "JUnit report",
        "widget": "text",
        "placeholder": "junit.xml",
        "help": "A report for CI systems among the outputs of the run.",
        "advanced": True,
    },
    "enable_history": {
        "group": "history",
        "label": "Keep in the history",
        "widget": "switch",
        "help": "The figures are then part of the analytics.",
        "advanced": True,
    },
    "history_db": {
        "group": "history",
        "label": "Other history",
        "widget": "text",
        "placeholder": "the service's own",
        "help": "An alias or a file name below the history folder.",
        "shown_when": "enable_history",
        "advanced": True,
    },
    "enable_visualizer": {
        "group": "history",
        "label": "Keep the step report",
        "widget": "switch",
        "help": "Validation, execution, metrics … each with its time.",
        "advanced": True,
    },
    "visualizer_format": {
        "group": "history",
        "label": "Report format",
        "widget": "select",
        "help": "Text adds a plain rendering to the same report.",
        "shown_when": "enable_visualizer",
        "advanced": True,
    },
    "enable_cost_tracking": {
        "group": "history",
        "label": "Estimate the cost",
        "widget": "switch",
        "help": "From CPU time and memory, by the service's price table.",
        "advanced": True,
    },
    "alerts": {
        "group": "alerts",
        "label": "Rules",
        "widget": "alerts",
        "help": "Judged when the run ends, such as execution_time_seconds > 10.",
        "advanced": True,
    },
    "slack_webhook": {
        "group": "alerts",
        "label": "Slack webhook",
        "widget": "secret",
        "placeholder": "https://hooks.slack.com/services/…",
        "help": "For the channel slack; never shown again.",
        "advanced": True,
    },
}

#: Name of the schema that describes a run to be started.
SCHEMA = "RunRequest"


def apply(document: dict[str, Any]) -> dict[str, Any]:
    """Put the hints into an OpenAPI document, in place.

    Args:
        document: The document of the application; its ``RunRequest`` schema, if there
            is one, gets ``x-form-groups``, and each of its properties ``x-form``.

    Returns:
        The same document.
    """
    schema = document.get("components", {}).get("schemas", {}).get(SCHEMA)
    if schema is None:
        return document
    schema["x-form-groups"] = [dict(group) for group in GROUPS]
    for order, (name, hint) in enumerate(HINTS.items()):
        if name in schema["properties"]:
            schema["properties"][name]["x-form"] = {"order": order, **hint}
    return document
