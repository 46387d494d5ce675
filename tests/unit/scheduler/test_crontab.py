"""Lines of a crontab as tasks, and why some cannot be."""

import pytest

from scriptrunner.scheduler.crontab import convert

CRONTAB = """\
# nightly work
MAILTO=ops@example.com
MODE=prod
0 2 * * 1-5 /usr/bin/python3 -u /srv/s/etl.py --full 'two words' >> /tmp/log 2>&1
CRON_TZ=Europe/Berlin
@daily cd /srv/s && LEVEL=2 python3 etl.py
*/5 * * * * /srv/s/check.py
"""


def test_lines_become_tasks():
    found = convert(CRONTAB)
    assert found.left_out == []
    assert [task["task_id"] for task in found.tasks] == ["etl", "etl-2", "check"]
    first, second, third = found.tasks
    assert first["cron_expr"] == "0 2 * * 1-5"
    assert first["script_args"] == ["--full", "two words"]
    assert first["timezone"] == "UTC"
    assert first["run_options"] == {"env_vars": {"MODE": "prod"}}
    assert second["script_path"] == "/srv/s/etl.py"
    assert second["timezone"] == "Europe/Berlin"
    assert second["run_options"] == {"env_vars": {"MODE": "prod", "LEVEL": "2"}}
    assert "script_args" not in third
    assert found.warnings == [
        "line 4: the redirection was dropped; output is kept with each run"
    ]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("* * * * * /usr/bin/backup.sh", "is not a Python script"),
        ("* * * * * python3 a.py | mail", "needs a shell (|)"),
        ("* * * * * python3 a.py; rm x", "needs a shell (;)"),
        ('* * * * * python3 a.py "$HOME"', "needs a shell ($)"),
        ("* * * * * python3 -m pip", "python -m is not a script"),
        ("* * * * * python3 a.py %input", "% hands input"),
        ("* * * * * python3 a.py 'open", "cannot be read"),
        ("@reboot python3 a.py", "@reboot is no time"),
        ("61 * * * * python3 a.py", "The field minute"),
        ("* * * * *", "no command"),
        ("CRON_TZ=Mars/Phobos", "not an IANA time zone"),
    ],
)
def test_what_cannot_be_a_task_says_why(line, reason):
    found = convert(line)
    assert found.tasks == []
    ((number, words),) = found.left_out
    assert number == 1
    assert reason in words


def test_lines_below_an_unknown_zone_are_left_out():
    found = convert("CRON_TZ=Mars/Phobos\n@daily a.py\nCRON_TZ=Asia/Tokyo\n@daily b.py")
    assert [number for number, _ in found.left_out] == [1, 2]
    (task,) = found.tasks
    assert (task["script_path"], task["timezone"]) == ("b.py", "Asia/Tokyo")


def test_the_same_script_many_times_is_named_in_no_time():
    found = convert("@daily a.py\n" * 5_000 + "@daily a-2.py\n")
    names = [task["task_id"] for task in found.tasks]
    assert len(set(names)) == 5_001
    assert (names[1], names[-2], names[-1]) == ("a-2", "a-5000", "a-2-2")
