"""The tasks: what can be learnt. Each file or folder is found by itself; entry point `microforge.tasks`."""

from collections.abc import Iterable
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from pkgutil import walk_packages

from microforge.errors import SettingsError
from microforge.tasks.base import Task, TaskOptions
from microforge.tasks.readiness import Readiness

__all__ = ["Readiness", "Task", "TaskOptions", "available_tasks", "get_task", "goals_by_group"]


@cache
def available_tasks() -> dict[str, type[Task]]:
    """Give all tasks by name, sorted."""
    for module in walk_packages(__path__, f"{__name__}."):
        import_module(module.name)
    for entry in entry_points(group="microforge.tasks"):
        entry.load()
    return dict(sorted((task.name, task) for task in _subclasses() if hasattr(task, "name")))


def goals_by_group(tasks: Iterable[type[Task]]) -> dict[str, list[type[Task]]]:
    """Give tasks as people are offered them: by group, the groups by name."""
    groups: dict[str, list[type[Task]]] = {}
    for task in sorted(tasks, key=lambda task: (task.group, task.place, task.title)):
        groups.setdefault(task.group, []).append(task)
    return groups


def get_task(name: str) -> type[Task]:
    """Give a task's class by name.

    Raises
    ------
    SettingsError
        If there is none of that name.
    """
    tasks = available_tasks()
    if name not in tasks:
        raise SettingsError(f"There is no task '{name}'.", remedy=f"Tasks: {', '.join(tasks)}.")
    return tasks[name]


def _subclasses() -> list[type[Task]]:
    found: list[type[Task]] = []
    waiting: list[type[Task]] = list(Task.__subclasses__())
    while waiting:
        found.append(waiting.pop())
        waiting.extend(found[-1].__subclasses__())
    return found
