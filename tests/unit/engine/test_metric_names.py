from pathlib import Path

import pytest

from scriptrunner.engine import metric_names
from scriptrunner.engine.metric_names import ALIASES, METRIC_NAME, METRICS, canonical
from scriptrunner.engine.metrics import RunFacts, metrics_from
from scriptrunner.engine.outcomes import Outcome, RunStatus, Status


def test_catalogue_has_every_metric_of_a_result():
    outcome = Outcome(Status.COMPLETED, RunStatus.SUCCESS, None)
    found = metrics_from(None, facts=RunFacts(script_path="x.py", outcome=outcome))
    assert set(found) <= set(METRICS)
    assert set(METRICS) - set(found) <= {"cost_total"}


def test_every_alias_is_in_the_reference():
    page = Path(__file__).parents[3] / "docs" / "reference" / "metrics.md"
    text = page.read_text(encoding="utf-8")
    assert [alias for alias in ALIASES if f"`{alias}`" not in text] == []


@pytest.mark.parametrize(
    ("alias", "name"),
    [
        ("execution_time", "execution_time_seconds"),
        ("exec_time", "execution_time_seconds"),
        ("duration", "execution_time_seconds"),
        ("duration_seconds", "execution_time_seconds"),
        ("cpu", "cpu_max"),
        ("cpu_percent", "cpu_avg"),
        ("memory", "memory_max_mb"),
        ("memory_mb", "memory_max_mb"),
        ("peak_memory_mb", "memory_max_mb"),
        ("returncode", "exit_code"),
        ("stdout_length", "stdout_bytes"),
        ("stderr_length", "stderr_bytes"),
        ("user_time", "user_time_seconds"),
        ("system_time", "system_time_seconds"),
        ("cpu_time", "cpu_time_seconds"),
        ("process_count", "process_count_max"),
        ("num_threads", "num_threads_max"),
        ("num_fds", "num_fds_max"),
        ("cpu_max", "cpu_max"),
        ("memory_delta", "memory_delta"),
    ],
)
def test_aliases_mean_their_metric(alias, name):
    assert canonical(alias) == name


def test_names_and_aliases_have_the_form_of_a_name_and_do_not_collide():
    names = [*METRICS, *ALIASES]
    assert all(METRIC_NAME.fullmatch(name) for name in names)
    assert len(names) == len(set(names))
    assert set(ALIASES.values()) <= set(METRICS)
    assert metric_names.aliases_of("cpu_avg") == ["cpu_percent"]


def test_unknown_names_are_told_with_the_closest_one():
    found = metric_names.find_unknown(["memroy_max_mb", "cpu", "status", "zzz"])
    assert found[0].endswith("memroy_max_mb; did you mean memory_max_mb?")
    assert [
        name in each for name, each in zip(["status", "zzz"], found[1:], strict=True)
    ]
