"""Measure how much a project writes for one stroke, and how fast one of thousands of images opens.

    python benchmarks/autosave.py [--side 4096] [--images 5000] [--slide]

Prints one JSON line. `stroke`: bytes written and milliseconds of one stroke over four tiles of a label layer of SIDE x
SIDE pixels with 2,000 objects, and of the wait until the disk has it (medians of 20, and the longest). `files`: seconds
and bytes to bring it into plain files, seconds to read it. `open`: seconds to open a project of so many images, memory
that takes, and milliseconds to change one image in it. `slide`: peak memory of a stroke on a layer of 20,000 x 20,000
pixels and of bringing it into plain files.
"""

import argparse
import json
import os
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from microforge.io.writing import Layout
from microforge.project import ImageSource, Project
from microforge.types import Image

_TILE, _STROKES = 256, 20


def project_with_layer(folder: Path, side: int) -> tuple[Project, str, Layout]:
    """Make a project with one small image, and the layout of a layer on it."""
    project = Project.create(folder / "cells.microforge")
    entry = project.add_image(ImageSource(image=Image("a", np.zeros((64, 64), np.uint8), "YX")))
    return project, entry.id, Layout("YX", (side, side), np.dtype(np.uint32))


def objects(side: int, count: int, rng: np.random.Generator) -> np.ndarray:
    """Give labels with discs anywhere."""
    labels = np.zeros((side, side), np.uint32)
    y, x = np.mgrid[-12:13, -12:13]
    disc = y**2 + x**2 <= 144
    for label, (top, left) in enumerate(rng.integers(0, side - 25, (count, 2)).tolist(), start=1):
        labels[top : top + 25, left : left + 25][disc] = label
    return labels


def tiles_of(labels: np.ndarray, top: int = 0, left: int = 0, size: int | None = None) -> Any:
    """Give the tiles of a layer, or of a square of it."""
    size = labels.shape[0] if size is None else size
    for y in range(top, top + size, _TILE):
        for x in range(left, left + size, _TILE):
            yield (y, x), labels[y : y + _TILE, x : x + _TILE]


def seconds(action: Callable[[], object]) -> float:
    begun = time.perf_counter()
    action()
    return time.perf_counter() - begun


def bytes_in(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def one_stroke(side: int) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as place:
        project, image, layout = project_with_layer(Path(place), side)
        labels = objects(side, 2_000, rng)
        first = seconds(lambda: project.write_tiles(image, "labels", layout, tiles_of(labels)))
        whole = bytes_in(project.folder)
        written, waits, sizes = [], [], []
        for number in range(_STROKES):
            top, left = (rng.integers(0, side // _TILE - 1, 2) * _TILE).tolist()
            labels[top + 200 : top + 300, left + 200 : left + 220] = 5_000 + number
            before = bytes_in(project.folder)
            stroke = list(tiles_of(labels, top, left, 2 * _TILE))
            written.append(1e3 * seconds(lambda tiles=stroke: project.write_tiles(image, "labels", layout, tiles)))
            waits.append(1e3 * seconds(project.sync))
            sizes.append(bytes_in(project.folder) - before)
        compact = seconds(project.compact)
        found = project.folder.glob("annotations/*/labels.tif")
        read = seconds(lambda: np.asarray(project.labels(image)))
        same = bool(np.array_equal(np.asarray(project.labels(image)), labels))
        result = {
            "stroke": {
                "bytes": [statistics.median(sizes), max(sizes)],
                "write_ms": [round(statistics.median(written), 1), round(max(written), 1)],
                "sync_ms": [round(statistics.median(waits), 1), round(max(waits), 1)],
                "whole_layer_bytes": whole,
                "whole_layer_s": round(first, 2),
            },
            "files": {
                "compact_s": round(compact, 2),
                "bytes": next(found).stat().st_size,
                "read_s": round(read, 2),
                "same": same,
            },
        }
        project.close()
        return result


def many_images(count: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as place:
        images = Path(place) / "images"
        images.mkdir()
        for number in range(count):
            (images / f"field_{number:05d}.tif").write_bytes(number.to_bytes(4, "little") * 64)
        project = Project.create(Path(place) / "cells.microforge")
        sources = [ImageSource(path, axes="YX", shape=(2048, 2048)) for path in sorted(images.iterdir())]
        added = seconds(lambda: project.add_images(sources))
        for entry in project.document.images[::10]:
            tile = np.ones((_TILE, _TILE), np.uint32)
            layout = Layout("YX", (2048, 2048), np.dtype(np.uint32))
            project.write_tiles(entry.id, "labels", layout, [((0, 0), tile)])
        crashed = seconds(lambda: Project.open(project.folder, read_only=True))
        compact = seconds(project.compact)
        project.close()
        before = psutil.Process().memory_info().rss
        begun = time.perf_counter()
        project = Project.open(project.folder)
        opened = time.perf_counter() - begun
        memory = psutil.Process().memory_info().rss - before
        entry = project.document.images[count // 2].model_copy(update={"class_name": "sick"})
        changed = seconds(lambda: project.update(lambda document: document.with_image(entry)))
        project.close()
        return {
            "images": count,
            "add_s": round(added, 2),
            "open_s": round(opened, 2),
            "open_with_journal_s": round(crashed, 2),
            "memory_mb": round(memory / 1e6),
            "change_one_ms": round(1e3 * changed, 1),
            "compact_500_layers_s": round(compact, 1),
            "project_json_bytes": (project.folder / "project.json").stat().st_size,
        }


def whole_slide() -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as place:
        project, image, layout = project_with_layer(Path(place), 20_000)
        before = psutil.Process().memory_info().rss
        tile = np.full((512, 512), 7, np.uint32)
        stroke = seconds(lambda: project.write_tiles(image, "labels", layout, [((12_000, 19_000), tile)]))
        compact = seconds(project.compact)
        project.close()
    scale = 1 if sys.platform == "darwin" else 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * scale - before
    return {
        "stroke_s": round(stroke, 3),
        "compact_s": round(compact, 1),
        "peak_mb": round(peak / 1e6),
        "layer_mb": 1_600,
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--side", type=int, default=4_096)
    parser.add_argument("--images", type=int, default=5_000)
    parser.add_argument("--slide", action="store_true")
    given = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    result: dict[str, Any] = {"slide": whole_slide()} if given.slide else {}
    print(json.dumps(result | {"open": many_images(given.images)} | one_stroke(given.side)))


if __name__ == "__main__":
    main()
