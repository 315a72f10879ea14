"""A project as plain folders that `microforge train`, Fiji and other programs take.

Come here for what ``images/``, ``annotations/``, ``points/``, ``regions/`` and the tables of an export hold.
"""

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from microforge.errors import MicroforgeError, SettingsError
from microforge.io.atomic import atomic_path
from microforge.io.files import free_name, portable_name
from microforge.io.points import write_points_csv
from microforge.io.tables import write_table
from microforge.io.writing import Layout, write_label_bands
from microforge.project.annotations.part_files import mask_in
from microforge.project.document import ImageEntry
from microforge.project.learning.samples import located_image
from microforge.project.project import Project


@dataclass
class Exported:
    """What was written: how many images, files by folder, and what was left out, in words."""

    folder: Path
    images: int = 0
    files: dict[str, int] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)


def export_project(project: Project, folder: Path, *, with_images: bool = True) -> Exported:
    """Write what is drawn in a project into a new folder.

    Parameters
    ----------
    with_images
        Copy the images, too.

    Raises
    ------
    SettingsError
        If there is something in the folder.
    WriteError
        If it cannot be written.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise SettingsError(
            "There is something in this folder.",
            where=str(folder),
            kept="Nothing was written.",
            remedy="Choose a new folder.",
        )
    exported, taken = Exported(folder), set[str]()
    rows: list[tuple[str, ImageEntry]] = []
    for entry in project.document.images:
        name = free_name(portable_name(entry.name), taken, "{name} {number}", 2)
        try:
            if _export(project, entry, exported, name, with_images=with_images):
                rows.append((name, entry))
        except MicroforgeError as error:
            exported.remarks.append(f"{entry.name} was left out: {error}")
    exported.images = len(rows)
    _write_tables(folder, rows)
    return exported


def _export(project: Project, entry: ImageEntry, exported: Exported, name: str, *, with_images: bool) -> bool:
    """Write what there is of an image; give whether there was anything."""
    writers = _writers(project, entry)
    if not writers and not entry.class_name:
        return False
    if with_images:
        path = located_image(project, entry)
        with atomic_path(_place(exported, "images", name + path.suffix), durable=False) as temporary:
            shutil.copyfile(path, temporary)
    for part, (suffix, write) in writers.items():
        write(_place(exported, part, name + suffix))
    if "regions" in writers or entry.unpainted != "background":
        exported.remarks.append(
            f"{entry.name} is annotated in part only, which folders cannot say: train with `microforge project train`."
        )
    return True


def _place(exported: Exported, part: str, name: str) -> Path:
    exported.files[part] = exported.files.get(part, 0) + 1
    place = exported.folder / part
    place.mkdir(parents=True, exist_ok=True)
    return place / name


def _writers(project: Project, entry: ImageEntry) -> dict[str, tuple[str, Callable[[Path], Any]]]:
    """Give what writes each thing that is drawn on an image, and the suffix of its file."""
    parts, found = project.parts(entry.id), dict[str, tuple[str, Callable[[Path], Any]]]()
    for part, place in (("labels", "annotations"), ("background", "background")):
        labels = project.labels(entry.id, part) if part in parts else None
        if labels is not None:
            layout = Layout(parts[part].axes, tuple(labels.shape), np.dtype(np.uint32), entry.pixel_size)
            found[place] = (".tif", _writes_labels(layout, labels))
    points, outlines = project.points(entry.id), project.outlines(entry.id)
    if points is not None:
        found["points"] = (".csv", lambda path: write_points_csv(path, points))
    if outlines and "labels" in parts:
        grid = Layout(parts["labels"].axes, tuple(parts["labels"].shape), np.dtype(np.uint32), entry.pixel_size)
        found["regions"] = (
            ".tif",
            lambda path: write_label_bands(path, grid, lambda window: mask_in(outlines, window)),
        )
    return found


def _writes_labels(layout: Layout, labels: Any) -> Callable[[Path], None]:
    return lambda path: write_label_bands(path, layout, lambda window: labels[tuple(slice(*side) for side in window)])


def _write_tables(folder: Path, rows: list[tuple[str, ImageEntry]]) -> None:
    """Write which image is for what, and classes, where a person said so."""
    said = [(name, entry.role) for name, entry in rows if entry.role]
    if said:
        roles = {"training": "train", "validation": "val"}
        split = [roles.get(entry.role, entry.role) or "train" for _, entry in rows]
        write_table(folder / "split.csv", _columns([name for name, _ in rows], "split", split))
    named = [(name, entry.class_name) for name, entry in rows if entry.class_name]
    if named:
        write_table(folder / "classes.csv", _columns([n for n, _ in named], "class", [c for _, c in named]))


def _columns(names: list[str], heading: str, values: list[str]) -> dict[str, Any]:
    return {"name": np.array(names, object), heading: np.array(values, object)}
