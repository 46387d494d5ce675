"""A record of tasks to try things on, on both databases."""

import pytest

from tests.task_world import TaskWorld


@pytest.fixture
def world(task_world: TaskWorld) -> TaskWorld:
    return task_world
