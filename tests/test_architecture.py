"""The rules of the house, as tests."""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "microforge"
FILES = sorted(SOURCE.rglob("*.py"))
KITS = {"qtpy", "napari", "superqt", "magicgui", "pyqtgraph"}
#: Most modules of a folder, with `__init__`; one that holds more is no room any more.
MOST_MODULES = 12
#: Most modules directly in these folders: the rest has a room.
MOST_DIRECTLY = {"gui": 6, "io": 6, "inference": 8, "tasks": 10}
#: Most lines in the window that need neither Qt nor napari: what computes belongs to the engine.
MOST_PLAIN_LINES = 150
PICKLE = re.compile(r"\bimport (pickle|joblib|dill)\b|torch\.load\(|torch\.save\(|allow_pickle=True")

#: Where kinds of annotations and answers are at home.
ENTRIES = ("annotations", "answers", "tasks", "gui/session/annotations", "gui/annotate/tools", "gui/review/__init__.py")


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(SOURCE)))
def test_file_is_short_enough_to_read(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400


def test_median_function_is_short() -> None:
    lengths = sorted(
        (node.end_lineno or 0) - node.body[0].lineno + 1
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef)
    )
    assert lengths[len(lengths) // 2] <= 12
    assert lengths[-1] <= 60


def test_no_pickle_is_read_or_written() -> None:
    assert not [path for path in FILES if PICKLE.search(path.read_text(encoding="utf-8"))]


def test_only_tasks_know_which_task_it_is() -> None:
    asks = re.compile(r"task(\.name)?\s*[!=]=\s*[\"']|\.name\s*(==|in)\s*[\(\[]?[\"'](instances|segmentation)")
    outside = [path for path in FILES if SOURCE / "tasks" not in path.parents]
    assert not [path for path in outside if asks.search(path.read_text(encoding="utf-8"))]


def test_only_entries_know_kinds_of_annotations_and_answers() -> None:
    names = "LABELS POINTS IMAGE_PAIRS IMAGE_CLASSES NOTHING OBJECTS PIXEL_CLASSES CELLS PREDICTED_IMAGE IMAGE_CLASS"
    kinds = rf"(?<!\w)({names.replace(' ', '|')})"
    asks = re.compile(rf"(\bis|\bin|==|!=)\s+(not\s+)?\(?{kinds}\b|{kinds}\s*(:|==|!=)")
    entries = [SOURCE / place for place in ENTRIES]
    outside = [path for path in FILES if not any(path.is_relative_to(entry) for entry in entries)]
    found = [
        f"{path.relative_to(SOURCE)}: {line.strip()}"
        for path in outside
        for line in path.read_text(encoding="utf-8").splitlines()
        if asks.search(line) and "import" not in line
    ]
    assert len(found) <= 5, found


def test_no_option_of_a_task_is_known_by_name_outside_it() -> None:
    named = re.compile(r"task(_class)?\.options\.(?!model_)|task_options(\.get\(|\[)|[\"'] in [\w.]*model_fields")
    outside = [path for path in FILES if SOURCE / "tasks" not in path.parents]
    assert not [path for path in outside if named.search(path.read_text(encoding="utf-8"))]


def test_no_module_is_called_a_drawer() -> None:
    names = {path.stem for path in FILES}
    assert not names & {"utils", "util", "helpers", "common", "misc", "manager", "handler"}


def test_no_public_name_is_defined_twice() -> None:
    homes: dict[str, list[str]] = {}
    for path in FILES:
        for name in public_names(ast.parse(path.read_text(encoding="utf-8"))):
            homes.setdefault(name, []).append(str(path.relative_to(SOURCE)))
    assert {name: paths for name, paths in homes.items() if len(paths) > 1} == {}


def test_a_folder_can_be_taken_in_at_a_glance() -> None:
    sizes = Counter(str(path.parent.relative_to(SOURCE)) for path in FILES)
    assert {folder: size for folder, size in sizes.items() if size > MOST_MODULES} == {}
    assert {folder: sizes[folder] for folder, most in MOST_DIRECTLY.items() if sizes[folder] > most} == {}


def test_nothing_in_the_window_computes() -> None:
    """`session/` and `layers/` are the bridge between both worlds; all else in `gui/` is widgets."""
    bridge = (SOURCE / "gui" / "session", SOURCE / "gui" / "layers")
    window = [path for path in (SOURCE / "gui").rglob("*.py") if not path.is_relative_to(bridge[0])]
    plain = {
        str(path.relative_to(SOURCE)): len(path.read_text(encoding="utf-8").splitlines())
        for path in window
        if not path.is_relative_to(bridge[1]) and not {module.split(".")[0] for module in imported(path)} & KITS
    }
    assert sum(plain.values()) < MOST_PLAIN_LINES, plain


def test_session_and_layers_have_no_widgets() -> None:
    bridge = [path for folder in ("session", "layers") for path in (SOURCE / "gui" / folder).rglob("*.py")]
    assert not [path for path in bridge if "qtpy.QtWidgets" in imported(path)]


def public_names(module: ast.Module) -> Iterator[str]:
    """Give the functions, classes and constants that a module defines for others."""
    for node in module.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names = [node.name]
        elif isinstance(node, ast.Assign):
            names = [name.id for target in node.targets for name in ast.walk(target) if isinstance(name, ast.Name)]
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names = [node.target.id]
        else:
            names = []
        yield from (name for name in names if not name.startswith("_"))


def imported(path: Path) -> set[str]:
    """Give the modules that a module imports, anywhere in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{name.name}" for name in node.names)}
    return found
