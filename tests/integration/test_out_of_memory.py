"""A script that the kernel ends for want of memory is told apart from other ends."""

import pytest

from scriptrunner.engine import keeper, process_tree
from scriptrunner.engine.runner import ScriptRunner

SUICIDE = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)\n"


def test_the_kernel_tells_how_often_it_ran_out_of_memory():
    with open("/proc/vmstat") as file:
        told = dict(line.split() for line in file)
    assert process_tree.count_oom_kills() == int(told["oom_kill"])


def test_sigkill_from_nowhere_is_a_signal_and_not_a_lack_of_memory(tmp_path):
    script = tmp_path / "suicide.py"
    script.write_text(SUICIDE)
    result = ScriptRunner(script).run()
    assert result["returncode"] == -9
    assert result["error_summary"]["reason"] == "signal"


@pytest.mark.parametrize(
    ("code", "counted", "reason"),
    [
        (-9, 1, "oom"),
        (-9, 0, "exit"),
        (-15, 1, "exit"),
        (1, 1, "exit"),
        (None, 1, "exit"),
    ],
)
def test_a_kill_counts_as_lack_of_memory_only_when_the_kernel_counted_one(
    monkeypatch: pytest.MonkeyPatch, code: int | None, counted: int, reason: str
):
    watcher = keeper.Keeper.__new__(keeper.Keeper)
    watcher._oom_kills = 7
    monkeypatch.setattr(process_tree, "count_oom_kills", lambda: 7 + counted)
    assert watcher._own_reason(code) == reason
