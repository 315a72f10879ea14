"""What keeping costs a person who paints: the window's own share, seconds until a stroke is on disk; one JSON line.

    xvfb-run -a -s "-screen 0 1600x1000x24" python benchmarks/autosave_window.py [--side 4096] [--seconds 20]

Paints a stroke every 50 ms in a real window, first with nothing written, then with everything kept, in turns. `gui_ms`
is what writing takes of the window's thread each time: by the clock, and of the processor (the longest, and the
median). `gaps`: how long a timer of 5 ms had to wait. `kept_s`: from a stroke to when it is on disk. `bytes`: what one
stroke writes.
"""

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import napari
import numpy as np
import tifffile
from gui_fluency import Heartbeat, live

from microforge.annotations import LABELS
from microforge.gui.dock import MicroforgeDock
from microforge.gui.session.saving.autosave import Autosave
from microforge.gui.session.state import Session

_STROKES, _TURNS = 12, 3


class Measured(Autosave):
    """Notes what each saving takes of the thread that asks for it, in milliseconds: by the clock, of the processor."""

    taken: ClassVar[list[tuple[float, float]]] = []
    keeps: ClassVar[bool] = True

    def save(self) -> None:
        """Write, and note what it took; nothing where nothing is to be kept."""
        if not Measured.keeps:
            return
        begun, worked = time.perf_counter(), time.thread_time()
        super().save()
        self.taken.append(((time.perf_counter() - begun) * 1e3, (time.thread_time() - worked) * 1e3))


def window_on(folder: Path, side: int) -> tuple[Any, MicroforgeDock, Any]:
    """Open an image of so many pixels, and take the brush."""
    tifffile.imwrite(folder / "large.tif", np.random.default_rng(0).integers(0, 255, (side, side), np.uint8))
    viewer = napari.Viewer(show=True)
    import microforge.gui.dock as dock_module

    dock_module.Autosave = Measured  # type: ignore[misc]
    dock = MicroforgeDock(viewer, Session(viewer, runs_folder=folder / "runs"), lambda: iter(()))
    viewer.window.add_dock_widget(dock, name="Microforge")
    dock.annotate.empty.read(folder / "large.tif")
    live(120, lambda: bool(dock.session.images()))
    dock.annotate.tools[LABELS].annotate.click()
    return viewer, dock, dock.session.annotated[0].labels


def painter(labels: Any, side: int) -> Callable[[], None]:
    """Give what paints a stroke somewhere."""
    rng = np.random.default_rng(1)
    labels.brush_size = 20

    def paint() -> None:
        labels.paint(tuple(rng.integers(50, side - 50, 2)), int(rng.integers(1, 500)))

    return paint


def kept_after(dock: MicroforgeDock, paint: Callable[[], None], journal: Path) -> tuple[float, int]:
    """Paint one stroke; give the seconds until it is on disk, and the bytes that were written."""
    before = bytes_in(journal)
    paint()
    begun = time.perf_counter()
    live(30, lambda: bytes_in(journal) > before)
    live(30, lambda: not dock.autosave.saving and not dock.autosave.unsaved())
    return time.perf_counter() - begun, bytes_in(journal) - before


def bytes_in(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir()) if folder.exists() else 0


def gaps(paint: Callable[[], None], seconds: float, *, keeping: bool) -> list[float]:
    """Give the gaps of a timer while somebody paints, with everything kept or nothing."""
    Measured.keeps = keeping
    heartbeat = Heartbeat()
    live(seconds, act=paint)
    heartbeat.timer.stop()
    return heartbeat.gaps


def in_ms(found: list[float]) -> dict[str, float]:
    values = np.array(found) * 1e3
    return {"p99": round(float(np.percentile(values, 99)), 1), "longest": round(float(values.max()), 1)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--side", type=int, default=4096)
    parser.add_argument("--seconds", type=float, default=20)
    a = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        viewer, dock, labels = window_on(Path(folder), a.side)
        paint, journal = painter(labels, a.side), Path(folder) / "large.microforge" / "journal"
        kept_after(dock, paint, journal)
        kept = [kept_after(dock, paint, journal) for _ in range(_STROKES)]
        found: dict[bool, list[float]] = {False: [], True: []}
        Measured.taken.clear()
        for turn in range(2 * _TURNS):
            keeping = bool(turn % 2)
            found[keeping] += gaps(paint, a.seconds / (2 * _TURNS), keeping=keeping)
        clock, processor = zip(*Measured.taken, strict=True)
        line = {
            "benchmark": "autosave_window",
            "side": a.side,
            "gui_ms": {
                "clock": [round(statistics.median(clock), 2), round(max(clock), 2)],
                "processor": [round(statistics.median(processor), 2), round(max(processor), 2)],
                "times": len(clock),
            },
            "gaps_ms": {"keeping": in_ms(found[True]), "not keeping": in_ms(found[False])},
            "kept_s": [round(statistics.median(s for s, _ in kept), 2), round(max(s for s, _ in kept), 2)],
            "bytes": [statistics.median(b for _, b in kept), max(b for _, b in kept)],
        }
        viewer.close()
    print(json.dumps(line))


if __name__ == "__main__":
    main()
