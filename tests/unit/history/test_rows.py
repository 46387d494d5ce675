"""What is kept of a run: known numbers, cut arguments, keys that tell things apart."""

import json
import math

import pytest

from scriptrunner.engine.metric_names import METRICS
from scriptrunner.history.rows import args_key, cut_args, path_key, to_row
from scriptrunner.storage.tables import executions
from scriptrunner.storage.tables.execution import REAL_METRICS, WHOLE_METRICS
from tests.executions import make_finished


def test_every_numeric_metric_has_a_column():
    numeric = {name for name, metric in METRICS.items() if metric.is_numeric}
    assert numeric == {*WHOLE_METRICS, *REAL_METRICS}


def test_a_row_has_every_column():
    assert set(to_row(make_finished(), 1)) == set(executions.columns.keys())


def test_booleans_become_numbers_and_texts_none():
    row = to_row(make_finished(success=True, timed_out=False, cpu_max="fast"), 7)
    assert (row["id"], row["success"], row["timed_out"], row["cpu_max"]) == (
        7,
        1,
        0,
        None,
    )


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, None, 1 << 70])
def test_what_is_no_stored_number_is_unknown(value):
    row = to_row(make_finished(cpu_max=value, stdout_lines=value), 1)
    assert row["stdout_lines"] is None
    assert row["cpu_max"] is None or math.isfinite(row["cpu_max"])


def test_known_values_are_counted():
    # time, cpu_avg, memory_max_mb, exit_code, success, timed_out, attempt_number = 7
    assert to_row(make_finished(), 1)["metric_count"] == 7


def test_keys_fit_into_64_bits_and_tell_apart():
    keys = {path_key(f"/srv/{number}.py") for number in range(1_000)}
    assert len(keys) == 1_000
    assert all(-(1 << 63) <= key < 1 << 63 for key in keys)
    assert args_key(["a b"]) != args_key(["a", "b"])
    assert args_key([]) == args_key(())


def test_long_arguments_are_cut_and_their_key_is_not():
    long = ["x" * 3_000, "y" * 3_000]
    kept = cut_args(long)
    assert kept == long[:1]
    assert len(json.dumps(kept)) <= 4 << 10
    assert args_key(long) != args_key(kept)


def test_a_path_that_cannot_be_encoded_is_kept_legibly():
    assert (
        to_row(make_finished(script_path="/a\udc80"), 1)["script_path"] == "/a\\udc80"
    )
