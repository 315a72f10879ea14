"""How commands end when somebody or something stops them: the model is kept, and the exit code says so."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import tifffile

from microforge.io.model_file import read_card
from support.discs import draw_discs

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")

SETTINGS = ["width=4", "depth=1", "patch_size=32", "batch_size=2"]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    for part in ("images", "labels"):
        (tmp_path / part).mkdir()
    for seed in range(3):
        image, labels = draw_discs(seed=seed)
        tifffile.imwrite(tmp_path / "images" / f"{seed}.tif", image)
        tifffile.imwrite(tmp_path / "labels" / f"{seed}.tif", labels)
    return tmp_path


@contextmanager
def training(data: Path, *more: str, **how: Any) -> "Iterator[subprocess.Popen[str]]":
    """Start a training; a test that fails leaves none behind."""
    settings = [part for setting in SETTINGS for part in ("--set", setting)]
    folders = [str(data / "images"), str(data / "labels")]
    command = ["train", "instances", *folders, "--model", str(data / "m.safetensors"), "--device", "cpu", *settings]
    # Started in the background, or under nohup, a program has signals ignored; here it should hear them.
    heard = "import signal as s; s.signal(s.SIGINT, s.default_int_handler); s.signal(s.SIGHUP, s.SIG_DFL)"
    program = f"{heard}; from microforge.cli import main; main()"
    running = subprocess.Popen([sys.executable, "-c", program, *command, *more], text=True, **how)
    try:
        yield running
    finally:
        running.kill()
        running.wait()


def wait_for(path: Path) -> None:
    for _ in range(3000):
        if path.exists():
            return
        time.sleep(0.02)
    raise AssertionError(path)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_a_signal_ends_a_training_with_its_model_and_exit_code_130(data: Path, number: signal.Signals) -> None:
    with training(data, "--steps", "100000", stderr=subprocess.PIPE) as running:
        wait_for(data / "m.run" / "log.csv")
        os.kill(running.pid, number)
        _, told = running.communicate(timeout=60)
    assert running.returncode == 130, told
    assert read_card(data / "m.safetensors").training.steps < 100000


def test_a_training_goes_on_when_nobody_reads_what_it_says(data: Path) -> None:
    pipes = {"stderr": subprocess.PIPE, "stdout": subprocess.PIPE}
    with training(data, "--steps", "30", "--json", **pipes) as running:
        for pipe in (running.stderr, running.stdout):
            assert pipe is not None
            pipe.close()
        assert running.wait(timeout=60) == 0
    assert read_card(data / "m.safetensors").training.steps == 30
