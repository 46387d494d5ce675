import pytest

from scriptrunner.engine.metrics import RunFacts, metrics_from
from scriptrunner.engine.outcomes import SUCCESS, outcome_of

#: Two seconds of a script that was busy on one and a half cores.
END = {
    "reason": "exit",
    "exit_code": 0,
    "started_us": 1_795_428_000_000_000,  # 2026-11-23T10:00:00Z
    "ended_us": 1_795_428_002_000_000,
    "duration_ns": 2_000_000_000,
    "utime": 2.5,
    "stime": 0.5,
    "maxrss_kb": 51_200,
    "minflt": 11,
    "majflt": 12,
    "nvcsw": 13,
    "nivcsw": 14,
    "inblock": 15,
    "oublock": 16,
    "io_read": 17,
    "io_write": 18,
    "out_bytes": 19,
    "err_bytes": 20,
    "out_dropped": 21,
    "err_dropped": 22,
    "out_lines": 23,
    "err_lines": 24,
    "cpu_max": 180.0,
    "cpu_min": 20.0,
    "mem_max_mb": 80.0,
    "mem_avg_mb": 60.0,
    "mem_min_mb": 10.0,
    "procs_max": 25,
    "threads_max": 26,
    "fds_max": 27,
    "samples": 18,
    "samples_due": 20,
}
FACTS = RunFacts(
    script_path="etl.py",
    script_args=("x",),
    correlation_id="c",
    attempt_number=2,
    attempts=2,
    timeout_seconds=60,
    total_time_seconds=7.5,
    queue_time_seconds=0.25,
    python_version="3.11.7",
    platform="Linux",
    outcome=SUCCESS,
)


def test_metrics_of_a_whole_record():
    assert metrics_from(END, facts=FACTS) == {
        "script_path": "etl.py",
        "script_args": ["x"],
        "correlation_id": "c",
        "status": "success",
        "success": True,
        "exit_code": 0,
        "attempt_number": 2,
        "start_time": "2026-11-23T10:00:00.000000Z",
        "end_time": "2026-11-23T10:00:02.000000Z",
        "timeout_seconds": 60,
        "timed_out": False,
        "execution_time_seconds": 2.0,
        "total_time_seconds": 7.5,
        "queue_time_seconds": 0.25,
        "attempts": 2,
        "user_time_seconds": 2.5,
        "system_time_seconds": 0.5,
        "cpu_time_seconds": 3.0,  # 2.5 + 0.5
        "cpu_avg": 150.0,  # 100 * 3 / 2
        "cpu_max": 180.0,
        "cpu_min": 20.0,
        "max_memory_mb": 50.0,  # 51 200 / 1 024
        "max_memory_kb": 51_200,
        "memory_max_mb": 80.0,
        "memory_avg_mb": 60.0,
        "memory_min_mb": 10.0,
        "page_faults_minor": 11,
        "page_faults_major": 12,
        "voluntary_context_switches": 13,
        "involuntary_context_switches": 14,
        "block_input_ops": 15,
        "block_output_ops": 16,
        "io_read_bytes": 17,
        "io_write_bytes": 18,
        "process_count_max": 25,
        "num_threads_max": 26,
        "num_fds_max": 27,
        "stdout_lines": 23,
        "stderr_lines": 24,
        "stdout_bytes": 19,
        "stderr_bytes": 20,
        "stdout_dropped_bytes": 21,
        "stderr_dropped_bytes": 22,
        "sample_count": 18,
        "sampling_efficiency": 0.9,  # 18 / 20
        "cost_total": None,
        "python_version": "3.11.7",
        "platform": "Linux",
    }


def test_a_run_shorter_than_one_interval_has_its_true_cpu_and_memory():
    end = END | dict.fromkeys(
        ("cpu_max", "cpu_min", "mem_max_mb", "mem_avg_mb", "mem_min_mb")
    )
    end |= {"samples": 0, "samples_due": 0, "duration_ns": 40_000_000, "utime": 0.01}
    end |= {"stime": 0.02}
    metrics = metrics_from(end, facts=FACTS)
    cpu = [metrics[name] for name in ("cpu_avg", "cpu_max", "cpu_min")]
    assert cpu == [75.0, 75.0, 75.0]  # 100 * 0.03 / 0.04
    memory = ("max_memory_mb", "memory_max_mb", "memory_avg_mb", "memory_min_mb")
    assert [metrics[name] for name in memory] == [50.0] * 4
    assert metrics["sampling_efficiency"] == 1.0


def test_the_sum_of_the_tree_is_never_below_its_largest_process():
    metrics = metrics_from(END | {"mem_max_mb": 30.0}, facts=FACTS)
    assert metrics["memory_max_mb"] == metrics["max_memory_mb"] == 50.0


def test_the_mean_lies_between_minimum_and_maximum():
    metrics = metrics_from(END | {"cpu_max": 100.0, "cpu_min": 160.0}, facts=FACTS)
    assert (metrics["cpu_min"], metrics["cpu_max"]) == (150.0, 150.0)


def test_more_samples_than_due_are_full_efficiency():
    metrics = metrics_from(END | {"samples": 21}, facts=FACTS)
    assert metrics["sampling_efficiency"] == 1.0


def test_unknown_is_null_and_the_keys_are_the_same():
    whole = metrics_from(END, facts=FACTS)
    facts = RunFacts(script_path="etl.py", outcome=outcome_of("lost"))
    nothing = metrics_from(None, facts=facts)
    assert nothing.keys() == whole.keys()
    known = {key: value for key, value in nothing.items() if value is not None}
    assert known == {
        "script_path": "etl.py",
        "script_args": [],
        "status": "killed",
        "success": False,
        "timed_out": False,
        "attempts": 0,
    }


def test_a_script_of_no_measurable_length_has_no_load():
    metrics = metrics_from(
        {
            "reason": "exit",
            "exit_code": 0,
            "duration_ns": 0,
            "utime": 0.0,
            "stime": 0.0,
        },
        facts=FACTS,
    )
    assert metrics["execution_time_seconds"] == 0
    assert metrics["cpu_avg"] is None


@pytest.mark.parametrize(
    ("reason", "timed_out"), [("timeout", True), ("stop", False), ("exit", False)]
)
def test_timed_out_says_who_ended_it(reason, timed_out):
    facts = RunFacts(script_path="x.py", outcome=outcome_of(reason, 1))
    assert metrics_from(END, facts=facts)["timed_out"] is timed_out
