"""The images of a project that are not opened with it: they are listed, and what is drawn on them counts.

Come here when an annotated image of a project is missing in the list, or is not learnt from.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from napari.components import ViewerModel
from napari.layers import Labels

from microforge.errors import MicroforgeError
from microforge.gui.layers.layer_axes import AT_REST, say_axes, say_sizes
from microforge.gui.layers.open_files import image_layer
from microforge.gui.session.annotated_image import Annotated
from microforge.gui.session.image_list.at_rest import FilePixels, PackedLabels
from microforge.gui.session.image_list.resting import read_pixels
from microforge.gui.session.opening.reading import can_wait, integers, is_annotated, settings_in, tiles_of
from microforge.gui.session.opening.restoring import KeptDrawing, draw_again
from microforge.gui.session.saving.changed_tiles import ChangedTiles
from microforge.gui.session.state import Session
from microforge.project import ImageEntry, Project, is_replaced, path_from
from microforge.types import Array, Image


@dataclass(frozen=True, eq=False)
class ProjectListing:
    """The images of a project that are files: each with its file, found or as it was, and what is wrong."""

    images: tuple[tuple[ImageEntry, Path, str], ...]


@dataclass(frozen=True, eq=False)
class PutBy:
    """An annotated image of a project that is not opened, with what is drawn on it.

    Attributes
    ----------
    drawing
        Its labels are blank: they are in `packed`, by part.
    tiles
        Checksums of what is on disk, by part.
    """

    entry: ImageEntry
    path: Path
    drawing: KeptDrawing
    packed: Mapping[str, PackedLabels] = field(default_factory=dict)
    tiles: Mapping[str, ChangedTiles] = field(default_factory=dict)


def listing_of(project: Project) -> ProjectListing:
    """Find the files of a project's images; slow where there are thousands."""
    images = []
    for entry in project.document.images:
        if entry.file is not None and not is_replaced(entry):
            located = project.locate(entry)
            problem = "" if located.path is not None else located.problem
            images.append((entry, located.path or path_from(entry.file.absolute), problem))
    return ProjectListing(tuple(images))


def read_put_by(project: Project, listing: ProjectListing, opened: Collection[str]) -> Iterator[PutBy | str]:
    """Read what is drawn on the images that are not opened (their ids are not given); says what cannot be read."""
    for entry, path, problem in listing.images:
        if entry.id in opened or not can_wait(entry) or not is_annotated(project, entry):
            continue
        if problem:
            yield f"{problem} Its annotation is kept."
            continue
        try:
            yield _read(project, entry, path)
        except MicroforgeError as error:
            yield str(error)


def put_by(session: Session, kept: PutBy) -> Annotated | None:
    """Have an image of a project wait as one that was put away; what is drawn on it counts.

    Raises
    ------
    MicroforgeError
        If what was drawn does not fit the image.
    """
    entry, listed = kept.entry, session.image_list.add_kept(kept.path, kept.entry.name)
    if listed.layer is not None:
        return None
    blank = np.broadcast_to(np.zeros((), np.uint8), entry.shape)
    layer = image_layer(Image(entry.name, blank, entry.axes, entry.pixel_size), kept.path, entry.name)
    layer.metadata[AT_REST] = FilePixels(kept.path, blank, read_pixels, never_shown=True)
    say_axes(layer, entry.window.get("axes") or entry.axes)
    if sizes := entry.window.get("sizes"):
        say_sizes(layer, sizes)
    # Layers know where they belong by the viewer they are made in; this one is never shown.
    aside = ViewerModel()
    aside.add_layer(layer)
    listed.layer = layer
    session.image_list.lay_to_rest(listed, [layer])
    item = draw_again(session, layer, kept.drawing, aside)
    _pack(item, kept.packed)
    session.image_list.lay_to_rest(listed, list(aside.layers))
    listed.is_packed = True
    return item


def _pack(item: Annotated | None, packed: Mapping[str, PackedLabels]) -> None:
    parts = {} if item is None else {"labels": item.labels, "background": item.ground}
    for part, layer in parts.items():
        if isinstance(layer, Labels) and part in packed:
            layer.mode = "pan_zoom"
            layer.metadata[AT_REST] = packed[part]


def _read(project: Project, entry: ImageEntry, path: Path) -> PutBy:
    read = {part: integers(project.labels(entry.id, part)) for part in ("labels", "background")}
    painted: dict[str, Array] = {part: labels for part, labels in read.items() if labels is not None}
    blank = {part: np.broadcast_to(np.zeros((), labels.dtype), labels.shape) for part, labels in painted.items()}
    drawing = KeptDrawing(
        blank.get("labels"),
        blank.get("background"),
        project.points(entry.id),
        project.outlines(entry.id),
        settings_in(entry),
        entry.role,
    )
    return PutBy(
        entry,
        path,
        drawing,
        {part: PackedLabels(labels) for part, labels in painted.items()},
        {part: tiles_of(labels) for part, labels in painted.items()},
    )
