"""Write areas as ImageJ ROIs for the ROI manager of Fiji."""

import zipfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from roifile import ROI_TYPE, ImagejRoi

from microforge.errors import WriteError
from microforge.io.atomic import atomic_path
from microforge.io.files import free_name, portable_name
from microforge.io.rois.reading import CORNER
from microforge.types import Doubles


def write_area_rois(path: str | Path, areas: Iterable[tuple[str, Doubles]], *, durable: bool = True) -> None:
    """Write areas as a zip file of ImageJ ROIs, one polygon each.

    Parameters
    ----------
    areas
        Names and corners ``(N, 2)`` y, x; whole numbers are the centres of pixels. Names that occur twice are numbered.

    Raises
    ------
    WriteError
        If there are none, or the file cannot be written; one that was there is unchanged.
    """
    named = list(areas)
    if not named:
        raise WriteError("There are no regions to write.", where=str(path), remedy="Draw one first.")
    taken: set[str] = set()
    with atomic_path(path, durable=durable) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as file:
        for name, corners in named:
            free = free_name(portable_name(name).strip() or "region", taken, "{name} ({number})", 2)
            file.writestr(f"{free}.roi", _polygon(corners, free).tobytes())


def _polygon(corners: Doubles, name: str) -> ImagejRoi:
    # ImageJ counts the corners of areas from the corner of the first pixel, along x and y.
    points = np.ascontiguousarray(corners[:, ::-1] + CORNER, np.float32)
    roi = ImagejRoi.frompoints(points, name=name)
    roi.roitype = ROI_TYPE.POLYGON
    return roi
