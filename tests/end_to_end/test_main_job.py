"""The program as people run it: a process of its own, killed and interrupted too."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import imageio.v3 as imageio
import pytest

from microforge.simulate import write_samples
from support.runs import csv_rows

pytestmark = pytest.mark.slow
posix = pytest.mark.skipif(os.name == "nt", reason="Windows sends no such signals")
QUICK = ["--device", "cpu", "--set", "patch_size=64", "--set", "batch_size=4", "--set", "width=8"]


def start(*arguments: Any) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "microforge", *(str(argument) for argument in arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish(process: subprocess.Popen[str], code: int = 0) -> tuple[str, str]:
    out, err = process.communicate(timeout=300)
    assert process.returncode == code, err
    assert "Traceback" not in err
    return out, err


def many_images(samples: Path, folder: Path, count: int) -> Path:
    folder.mkdir()
    fields = sorted((samples / "nuclei" / "images").iterdir())
    for n in range(count):
        (folder / f"field_{n:03d}.tif").write_bytes(fields[n % len(fields)].read_bytes())
    return folder


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("samples")
    write_samples(folder)
    return folder


@pytest.fixture(scope="module")
def model(samples: Path) -> Path:
    path = samples / "nuclei.safetensors"
    nuclei = samples / "nuclei"
    finish(start("train", "instances", nuclei / "images", nuclei / "labels", "--model", path, "--steps", 25, *QUICK))
    return path


def test_demo_does_the_whole_job(tmp_path: Path) -> None:
    out, err = finish(start("demo", "--time", 8, "--device", "cpu", "--output", tmp_path / "demo", "--json"))
    answer = json.loads(out)
    assert 0 <= answer["metrics"]["AP@0.5"] <= 1
    height, width, channels = imageio.imread(tmp_path / "demo" / "overview.png").shape
    assert (height, width, channels) == (3 * 260, 3 * 260, 3)
    assert len(csv_rows(tmp_path / "demo" / "results" / "images.csv")) == 4
    assert re.search(r"objects? in 4 images", err)


@pytest.mark.parametrize(
    ("folder", "shape"), [("stack", (24, 128, 128)), ("two_channels", (256, 256))], ids=["stack", "channels"]
)
def test_stacks_and_channels_go_the_whole_way(
    samples: Path, tmp_path: Path, folder: str, shape: tuple[int, ...]
) -> None:
    import tifffile

    images, labels = samples / folder / "images", samples / folder / "labels"
    path = tmp_path / "model.safetensors"
    options = [option.replace("64", "32") for option in QUICK]
    finish(start("train", "instances", images, labels, "--model", path, "--steps", 4, *options))
    finish(start("predict", path, images, "--output", tmp_path / "out", "--device", "cpu"))
    [result] = (tmp_path / "out").glob("*.tif")
    assert tifffile.imread(result).shape == shape
    [row] = csv_rows(tmp_path / "out" / "images.csv")
    assert float(row["pixel_size_x"]) == 0.5
    assert row["pixel_size_z"] == ("1.5" if folder == "stack" else "")


@posix
def test_ctrl_c_keeps_the_model(samples: Path, tmp_path: Path) -> None:
    nuclei, path = samples / "nuclei", tmp_path / "stopped.safetensors"
    process = start(
        "train", "instances", nuclei / "images", nuclei / "labels", "--model", path, "--time", "10m", *QUICK
    )
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("Training"):
            break
    time.sleep(3)
    process.send_signal(signal.SIGINT)
    _, err = finish(process, 130)
    assert "Trained" in err
    assert path.is_file()


@posix
def test_ctrl_c_stops_a_folder_run_well(samples: Path, model: Path, tmp_path: Path) -> None:
    inputs, output = many_images(samples, tmp_path / "in", 150), tmp_path / "out"
    process = start("predict", model, inputs, "--output", output, "--device", "cpu")
    while process.poll() is None and len(list(output.glob("*.tif"))) < 20:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, err = finish(process, code=130)
    assert "the same command goes on from here" in err
    states = [row["state"] for row in csv_rows(output / "images.csv")]
    assert 20 <= states.count("done") == len(list(output.glob("*.tif"))) < 150
    assert states.count("waiting") == 150 - states.count("done")


@posix
def test_a_killed_folder_run_goes_on_where_it_was(samples: Path, model: Path, tmp_path: Path) -> None:
    inputs, output = many_images(samples, tmp_path / "in", 120), tmp_path / "out"
    process = start("predict", model, inputs, "--output", output, "--device", "cpu")
    while process.poll() is None and len(list(output.glob("*.tif"))) < 30:
        time.sleep(0.02)
    process.kill()
    process.communicate()
    written = len(list(output.glob("*.tif")))
    assert 30 <= written < 120
    out, _ = finish(start("predict", model, inputs, "--output", output, "--device", "cpu", "--json"))
    answer = json.loads(out)
    assert answer["done"] + answer["skipped"] == 120
    images = csv_rows(output / "images.csv")
    assert {row["state"] for row in images} == {"done"}
    per_image = [int(row["objects"]) for row in images]
    assert len(csv_rows(output / "objects.csv")) == sum(per_image)
    assert per_image[:10] == per_image[10:20] == per_image[110:]
