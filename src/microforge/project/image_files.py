"""Images taken into a project: files are noted, pixels without a file are copied in; come here for how one is found.

An image is the same if it lies in the same place of the same file.
"""

import secrets
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from microforge.axes.letters import size_text
from microforge.errors import ImageReadError, MicroforgeError, ProjectError, readable
from microforge.io.atomic import atomic_path
from microforge.io.files import image_stem
from microforge.io.images import read_image
from microforge.io.writing import write_image
from microforge.project.document import FileReference, ImageEntry
from microforge.project.references import Located, folder_name, locate, path_text, reference_to
from microforge.types import Image, PixelSize

IMAGES_FOLDER = "images"

#: Place of a file, and which of its images.
SourceKey = tuple[str, int | None]


@dataclass(frozen=True, eq=False)
class ImageSource:
    """An image for a project.

    Attributes
    ----------
    path
        Its file.
    index
        Which image of a file that holds several.
    image
        Pixels without a file: these are copied in.
    name
        What it is called; by default as its file is.
    axes, pixel_size, shape
        As far as they are known.
    """

    path: Path | None = None
    index: int | None = None
    image: Image | None = None
    name: str = ""
    axes: str = ""
    pixel_size: PixelSize | None = None
    shape: tuple[int, ...] = ()

    @property
    def key(self) -> SourceKey | None:
        """Where it is; None for pixels without a file."""
        return None if self.path is None else (path_text(self.path.absolute()), self.index)


def same_source(entry: ImageEntry) -> SourceKey | None:
    """Give where an image of a project was when it was taken in."""
    return None if entry.file is None else (entry.file.absolute, entry.file.index)


def entry_for(source: ImageSource, folder: Path) -> ImageEntry:
    """Make the entry of an image that is new in a project.

    Raises
    ------
    ImageReadError
        If its file cannot be read.
    WriteError
        If its pixels cannot be written.
    """
    image_id = secrets.token_hex(4)
    if source.path is not None:
        name = readable(source.name) or image_stem(source.path)
        file = _reference(source.path, folder, source.index)
    elif source.image is not None:
        name = readable(source.name or source.image.name) or "image"
        file = _copied_in(source.image, folder, folder_name(name, image_id))
    else:
        raise ProjectError("An image needs a file or pixels.", where=source.name)
    image = source.image
    return ImageEntry(
        id=image_id,
        name=name,
        folder=folder_name(name, image_id),
        file=file,
        axes=source.axes or (image.axes if image else ""),
        pixel_size=source.pixel_size or (image.pixel_size if image else None),
        shape=tuple(source.shape or (image.data.shape if image else ())),
    )


def locate_image(entry: ImageEntry, folder: Path) -> Located:
    """Find the file of an image; of one that was changed, the shape is looked at too."""
    found = locate(entry, folder)
    if found.path is None or not found.problem or not entry.shape:
        return found
    try:
        shape = tuple(read_image(found.path).data.shape)
    except MicroforgeError as error:
        return Located(None, f"{found.problem} It cannot be read any more: {error.problem}")
    if sorted(n for n in shape if n > 1) == sorted(n for n in entry.shape if n > 1):
        return found
    return Located(
        found.path,
        f"The file {readable(found.path.name)} has another shape now: {size_text(shape)} instead of "
        f"{size_text(entry.shape)}. What was drawn on it does not fit any more, and is kept.",
    )


def _reference(path: Path, folder: Path, index: int | None) -> FileReference:
    try:
        return reference_to(path, folder, index)
    except OSError as error:
        raise ImageReadError(
            f"The file cannot be read ({error.strerror or error}).",
            where=str(path),
            remedy="Check that it is there and that the drive is connected.",
        ) from error


def _copied_in(image: Image, folder: Path, name: str) -> FileReference:
    place = folder / IMAGES_FOLDER
    place.mkdir(exist_ok=True)
    pixels, axes = np.asarray(image.data[...]), image.axes
    if axes == "YXS" and pixels.dtype == np.uint8:
        path = place / f"{name}.png"
        _write_colours(path, pixels)
    else:
        path = place / f"{name}.tif"
        if pixels.dtype == bool:
            pixels = pixels.astype(np.uint8)
        axes = axes.replace("S", "C") if "C" not in axes else axes
        write_image(path, pixels, axes, image.pixel_size, channel_names=image.channel_names)
    return reference_to(path, folder, whole=True)


def _write_colours(path: Path, pixels: np.ndarray) -> None:
    import imageio.v3 as imageio

    with atomic_path(path) as temporary:
        imageio.imwrite(temporary, pixels, extension=".png")
