"""A list of thousands of images in the real window: time to list them, memory, time to the next image; one JSON line.

    xvfb-run -a -s "-screen 0 1600x1000x24" python benchmarks/project_images.py [--images 5000] [--turns 12]

Makes small files, and some large ones between which it goes. Seconds are those of a clock and, beside them, those
that the window's thread computed, which hardly depend on what else the machine does. Memory is that of the process
above what it was with napari and the dock open.
"""

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import napari
import numpy as np
import psutil
import tifffile
from qtpy.QtWidgets import QApplication

from microforge.gui.dock import MicroforgeDock
from microforge.gui.session.state import Session

LONG = 120.0


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=5000)
    parser.add_argument("--side", type=int, default=2048)
    parser.add_argument("--turns", type=int, default=12)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        small, large = made_files(Path(folder), options.images, options.side)
        print(json.dumps(measured(Path(folder), small, large, options.turns)))


def made_files(folder: Path, count: int, side: int) -> tuple[Path, list[Path]]:
    """Write small files into a folder of their own, and four large ones."""
    small, rng = folder / "screen", np.random.default_rng(0)
    small.mkdir()
    for number in range(count):
        tifffile.imwrite(small / f"field {number:05d}.tif", rng.integers(0, 4000, (48, 64), np.uint16))
    large = [folder / f"large {number}.tif" for number in range(4)]
    for path in large:
        tifffile.imwrite(path, rng.integers(0, 4000, (side, side), np.uint16))
    return small, large


def measured(folder: Path, small: Path, large: list[Path], turns: int) -> dict[str, object]:
    """List the files and go from one to another."""
    viewer = napari.Viewer()
    dock = MicroforgeDock(viewer, Session(viewer, runs_folder=folder / "runs"), lambda: iter(()))
    viewer.window.add_dock_widget(dock, name="Microforge")
    dock.strip.thumbnails.keep_in(folder / "cache")
    wait_until(lambda: not dock.session.warming.running)
    process, entries = psutil.Process(), dock.session.image_list.entries
    before = process.memory_info().rss
    listing = timed(lambda: dock.strip.add_files([small]), lambda: len(entries) > 1 and entries[0].is_open)
    for row in range(0, len(entries), max(1, len(entries) // 20)):
        dock.strip.view.scrollTo(dock.strip.model.index(row))
        QApplication.processEvents()
    pictures = timed(lambda: None, lambda: not dock.strip.thumbnails.busy)
    scrolled = process.memory_info().rss - before
    dock.strip.add_files(large)
    wait_until(lambda: entries[-1].path == large[-1])
    at = [
        timed(lambda entry=entry: dock.strip.switching.go(entry), lambda entry=entry: entry.is_open)
        for entry in [entries[-1 - turn % len(large)] for turn in range(turns)]
    ]
    result = {
        "images": len(entries),
        "list_s": listing,
        "pictures_s": pictures[0],
        "pictures_made": len(dock.strip.thumbnails),
        "memory_mb": round(scrolled / 2**20),
        "next_s": [round(float(np.median([clock for clock, _ in at])), 3), round(max(clock for clock, _ in at), 3)],
        "next_window_thread_s": round(float(np.median([computed for _, computed in at])), 3),
        "layers_in_viewer": len(viewer.layers),
        "memory_after_mb": round((process.memory_info().rss - before) / 2**20),
        "load": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
    }
    viewer.close()
    return result


def timed(act: Callable[[], object], done: Callable[[], bool]) -> tuple[float, float]:
    """Give the seconds of a clock, and those that this thread computed, until something is done."""
    began, computed = time.perf_counter(), time.thread_time()
    act()
    wait_until(done)
    return round(time.perf_counter() - began, 3), round(time.thread_time() - computed, 3)


def wait_until(done: Callable[[], bool]) -> None:
    """Let the window work until something is done."""
    end = time.monotonic() + LONG
    while not done():
        if time.monotonic() > end:
            raise TimeoutError("The window did not get there.")
        QApplication.processEvents()
        time.sleep(0.001)


if __name__ == "__main__":
    main()
