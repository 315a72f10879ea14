"""Which tests can run here: those that need a window or a GPU are skipped, with the reason, where there is none."""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest

#: What napari remembers for the person who runs the tests must not decide how they end.
os.environ["NAPARI_CONFIG"] = ""
#: Nor do windows that tests paint in leave projects among that person's data.
_DATA = tempfile.TemporaryDirectory(prefix="microforge-tests-", ignore_cleanup_errors=True)
os.environ["XDG_DATA_HOME"] = _DATA.name

TESTS = Path(__file__).parent
PROBE = TESTS.parent / ".ci" / "window.py"
#: Seconds after which a screen that does not answer counts as none.
PATIENCE = 60
REMEDY = "`.ci/packages window` installs what is missing, or says what it is."
_WINDOW = re.compile(r"^(from|import) (napari|qtpy|pytestqt|pyqtgraph|PyQt\d|microforge\.gui)\b", re.MULTILINE)


@cache
def window_problem() -> str:
    """Give why no window can be opened, empty where one can: tried by a process of its own, as Qt may abort it."""
    try:
        tried = subprocess.run(
            [sys.executable, str(PROBE)], capture_output=True, text=True, timeout=PATIENCE, check=False
        )
    except subprocess.TimeoutExpired:
        return f"The screen does not answer. {REMEDY}"
    if tried.returncode == 0:
        return ""
    said = tried.stdout.strip() or f"Qt ended its process ({tried.returncode}): {_first_line(tried.stderr)}"
    return f"{said} {REMEDY}"


def needs_window(module: Path) -> bool:
    """Tell whether a module of tests opens windows: those of gui/ do, and what imports Qt or napari."""
    if module.is_relative_to(TESTS / "gui"):
        return True
    return bool(_WINDOW.search(module.read_text(encoding="utf-8")))


def _first_line(text: str) -> str:
    return next((line.strip() for line in text.splitlines() if line.strip()), "without a word")


class WindowTests(pytest.Module):
    """A module of tests that is not even imported, as it would load Qt."""

    def collect(self) -> Iterator[pytest.Item]:  # type: ignore[override]
        pytest.skip(window_problem(), allow_module_level=True)


#: Their fixtures need Qt; pyproject.toml keeps pytest from loading them by itself.
pytest_plugins = () if window_problem() else ("pytestqt.plugin", "napari.utils._testsupport")


def pytest_addoption(pluginmanager: pytest.PytestPluginManager) -> None:
    """Keep from Qt, before anything loads it, what would fail for want of it."""
    if not window_problem():
        return
    # pytest does not read a conftest.py whose name is taken.
    for path in (TESTS / "gui").rglob("conftest.py"):
        pluginmanager.register(ModuleType("no_window"), name=str(path))


def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector) -> pytest.Module | None:
    """Skip whole modules that need a window."""
    if window_problem() and needs_window(module_path):
        return WindowTests.from_parent(parent, path=module_path)
    return None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip tests marked `gpu` where PyTorch can use none."""
    marked = [item for item in items if item.get_closest_marker("gpu")]
    if not marked:
        return
    from microforge.device import describe_device

    found = describe_device()
    if found.device == "cpu":
        for item in marked:
            item.add_marker(pytest.mark.skip(reason=f"Needs a GPU. {found.reason}"))
