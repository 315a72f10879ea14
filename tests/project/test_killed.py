"""Whatever kills the program, and when: all that was kept is there, and every file can be read."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="no processes that are copied")


def left_after_kills(folder: Path, how: str, amount: int) -> dict[str, object]:
    command = [sys.executable, str(TESTS / "support" / "kill_points.py"), str(folder), how, str(amount)]
    paths = os.pathsep.join([str(TESTS), *(path for path in sys.path if path)])
    done = subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": paths}, timeout=900, check=False
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, object] = json.loads(done.stdout)
    return found


def test_a_few_calls_to_the_system(tmp_path: Path) -> None:
    found = left_after_kills(tmp_path, "calls", 23)
    assert found["wrong"] == {}
    assert int(str(found["kills"])) >= 5


@pytest.mark.slow
def test_every_call_to_the_system(tmp_path: Path) -> None:
    found = left_after_kills(tmp_path, "calls", 1)
    assert found["wrong"] == {}
    assert int(str(found["kills"])) >= 150


def test_a_few_power_cuts(tmp_path: Path) -> None:
    found = left_after_kills(tmp_path, "power", 29)
    assert found["wrong"] == {}
    assert int(str(found["kills"])) >= 5


@pytest.mark.slow
def test_a_power_cut_at_every_call_to_the_system(tmp_path: Path) -> None:
    found = left_after_kills(tmp_path, "power", 1)
    assert found["wrong"] == {}
    assert int(str(found["kills"])) >= 150


@pytest.mark.slow
def test_random_moments(tmp_path: Path) -> None:
    assert left_after_kills(tmp_path, "random", 200) == {"kills": 200, "wrong": {}}
