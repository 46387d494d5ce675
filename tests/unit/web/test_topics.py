"""The topics of the event stream."""

import pytest

from scriptrunner.errors import MalformedInputError
from scriptrunner.runs.errors import RunNotFoundError
from scriptrunner.web.topics import MAX_TOPICS, parse_topics

RUN = "5d2b2a5e-6f0c-4d43-9c39-0b5f0f7f8a11"


def test_every_kind_is_understood():
    names = ["runs", "queue", "system", f"run:{RUN}", f"log:{RUN}:stderr"]
    topics = parse_topics(names)
    assert [topic.name for topic in topics] == names
    assert [topic.kind for topic in topics] == ["runs", "queue", "system", "run", "log"]
    assert (topics[4].run_id, topics[4].stream) == (RUN, "stderr")
    assert [topic.is_about_runs for topic in topics] == [
        True,
        False,
        False,
        True,
        False,
    ]


def test_an_offset_stands_behind_the_name():
    (topic,) = parse_topics([f"log:{RUN}:stdout@96"])
    assert (topic.name, topic.offset) == (f"log:{RUN}:stdout", 96)
    assert parse_topics(["runs"])[0].offset is None


def test_a_topic_named_twice_counts_once():
    assert len(parse_topics(["runs@5", "runs@7"])) == 1


@pytest.mark.parametrize(
    "text",
    [
        "",
        "run",
        "logs",
        f"log:{RUN}:both",
        "runs@",
        "runs@1.5",
        "runs@" + "9" * 19,
        "RUNS",
    ],
)
def test_anything_else_is_a_fault(text):
    with pytest.raises(MalformedInputError):
        parse_topics([text])


@pytest.mark.parametrize("name", ["scans", "tasks", "alerts"])
def test_objects_that_are_no_runs_have_topics(name):
    (topic,) = parse_topics([f"{name}@7"])
    assert (topic.kind, topic.offset, topic.is_about_objects) == (name, 7, True)


def test_all_faults_come_at_once():
    with pytest.raises(MalformedInputError) as caught:
        parse_topics(["x", "runs", "y"])
    assert len(caught.value.faults) == 2


def test_a_run_is_named_by_a_run_id():
    with pytest.raises(RunNotFoundError):
        parse_topics(["run:../etc"])


@pytest.mark.parametrize("count", [0, MAX_TOPICS + 1])
def test_there_are_bounds(count):
    ids = [f"5d2b2a5e-6f0c-4d43-9c39-0b5f0f7f8{number:03}" for number in range(count)]
    with pytest.raises(MalformedInputError):
        parse_topics([f"run:{run_id}" for run_id in ids])
