"""What the kernel offers, and how its absence is told."""

import os

import pytest

from scriptrunner.engine import kernel


def test_nothing_is_missing_here():
    assert kernel.list_missing_features() == []


def test_a_kernel_without_pidfd_is_told(monkeypatch: pytest.MonkeyPatch):
    def refuse(_: int) -> int:
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(os, "pidfd_open", refuse)
    assert kernel.list_missing_features() == [
        "signals may in theory meet a process id that was used again"
    ]


def test_usage_of_a_zombie_is_seen_without_reaping_it():
    pid = os.posix_spawn("/bin/true", ["true"], {})
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    usage = kernel.look_at_usage(pid)
    assert usage is not None
    assert usage.maxrss > 0
    assert os.waitpid(pid, 0) == (pid, 0)
