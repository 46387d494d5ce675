"""The graph of dependencies: unknown tasks and cycles are refused by name. Pure."""

from collections.abc import Iterable, Mapping


def find_cycle(edges: Mapping[str, Iterable[str]], start: str) -> list[str] | None:
    """Return a cycle through ``start``, or None.

    Args:
        edges: The tasks that each task depends on, by its id.
        start: The task whose dependencies have changed.

    Returns:
        The ids in the order of the arrows, ``start`` first and last.
    """
    came_from: dict[str, str] = {}
    todo = [start]
    while todo:
        current = todo.pop()
        for following in sorted(edges.get(current, ())):
            if following == start:
                return _trace(came_from, current, start)
            if following not in came_from:
                came_from[following] = current
                todo.append(following)
    return None


def _trace(came_from: Mapping[str, str], last: str, start: str) -> list[str]:
    path, current = [start], last
    while current != start:
        path.append(current)
        current = came_from[current]
    return [start, *reversed(path)]


def find_problems(
    task_id: str,
    dependencies: Iterable[str],
    edges: Mapping[str, Iterable[str]],
    *,
    may_miss: bool = False,
) -> list[str]:
    """Return what is wrong with the dependencies of a task, in words; empty if nothing.

    Args:
        task_id: The task.
        dependencies: What it is to depend on.
        edges: The dependencies of every task that there is, by its id.
        may_miss: Whether tasks may be missing: those of a task that is switched off.
    """
    wanted = list(dependencies)
    problems = []
    if task_id in wanted:
        problems.append(f"{task_id} cannot depend on itself")
    missing = [each for each in wanted if each not in edges and each != task_id]
    if not may_miss:
        problems += [f"there is no task {each}" for each in missing]
    if not problems:
        cycle = find_cycle({**edges, task_id: wanted}, task_id)
        if cycle is not None:
            problems.append("the dependencies form a cycle: " + " -> ".join(cycle))
    return problems
