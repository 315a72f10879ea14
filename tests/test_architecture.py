"""The rules of the house, as tests."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "microforge"
FILES = sorted(SOURCE.rglob("*.py"))
PICKLE = re.compile(r"\bimport (pickle|joblib|dill)\b|torch\.load\(|torch\.save\(|allow_pickle=True")


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


def test_no_module_is_called_a_drawer() -> None:
    names = {path.stem for path in FILES}
    assert not names & {"utils", "util", "helpers", "common", "misc", "manager", "handler"}
