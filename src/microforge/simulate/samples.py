"""The sample images of the project, always the same."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tifffile

from microforge.simulate.crowds import CELL_KINDS, Crowd, simulate_crowd, simulate_focus
from microforge.simulate.exposures import noisy_pair, noisy_series
from microforge.simulate.fields import simulate_cells, simulate_nuclei
from microforge.types import Array


def write_samples(folder: str | Path) -> list[Path]:
    """Write the project's sample images with their labels, as TIFFs with pixel sizes; gives the files."""
    written = []
    for name, data, metadata in _samples():
        path = Path(folder) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}")
        # Labels shrink to a tenth; noise does not shrink.
        packed = "zlib" if path.parent.name.endswith("labels") else None
        description = {"unit": "um", **metadata}
        tifffile.imwrite(temporary, data, imagej=True, resolution=(2, 2), compression=packed, metadata=description)
        os.replace(temporary, path)
        written.append(path)
    return written + list(_write_points(Path(folder)))


def _write_points(folder: Path) -> Iterator[Path]:
    """Write the points of the crowds as tables; give the files."""
    for part, number, crowd in _crowds():
        path = folder / f"counting/{part}points/crowd_{number:02d}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = [f"{CELL_KINDS[kind]},{y:.1f},{x:.1f}" for (y, x), kind in zip(crowd.points, crowd.kind, strict=True)]
        path.write_text("\n".join(["kind,y,x", *lines, ""]), encoding="utf-8", newline="\n")
        yield path


def _crowds() -> Iterator[tuple[str, int, Crowd]]:
    for seed in range(14):
        yield "" if seed < 10 else "test_", seed + 1, simulate_crowd((160, 160), seed=seed)


def _samples() -> Iterator[tuple[str, Array, dict[str, Any]]]:
    """Give name, data and description of each sample image; half a micrometre per pixel."""
    for seed in range(14):
        part = "" if seed < 10 else "test_"
        field = simulate_nuclei((256, 256), diameter=(19, 22, 25)[seed % 3], photons=(60, 120)[seed % 2], seed=seed)
        yield f"nuclei/{part}images/field_{seed + 1:02d}.tif", field.image, {"axes": "YX"}
        yield f"nuclei/{part}labels/field_{seed + 1:02d}.tif", field.labels.astype(np.uint16), {"axes": "YX"}
    stack = simulate_nuclei((24, 128, 128), diameter=24, anisotropy=3, seed=100)
    yield "stack/images/stack.tif", stack.image, {"axes": "ZYX", "spacing": 1.5}
    yield "stack/labels/stack.tif", stack.labels.astype(np.uint16), {"axes": "ZYX", "spacing": 1.5}
    cells = simulate_cells(seed=200)
    names = {"axes": "CYX", "mode": "composite", "Labels": ["nuclei", "cytoplasm"]}
    yield "two_channels/images/cells.tif", cells.image, names
    yield "two_channels/labels/cells.tif", cells.labels.astype(np.uint16), {"axes": "YX"}
    for seed in range(6):
        noisy, clean = noisy_pair(seed)
        yield f"denoising/noisy/field_{seed + 1}.tif", noisy, {"axes": "YX"}
        yield f"denoising/clean/field_{seed + 1}.tif", clean, {"axes": "YX"}
    for part, number, crowd in _crowds():
        yield f"counting/{part}images/crowd_{number:02d}.tif", crowd.image, {"axes": "YX"}
    for seed in range(16):
        part, focus = "" if seed < 10 else "test_", ("sharp", "blurred")[seed % 2]
        image = simulate_focus(seed, sharp=focus == "sharp", shape=(112, 112))
        yield f"focus/{part}images/{focus}/field_{seed + 1:02d}.tif", image, {"axes": "YX"}
    series, _ = noisy_series(seed=0)
    yield "timelapse/series.tif", series, {"axes": "TYX", "finterval": 2.0}
