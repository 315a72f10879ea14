"""Which files of a folder may belong to images: label images, outlines, points; come here when a file is not seen."""

from pathlib import Path

from microforge.errors import ImageReadError, PairingError
from microforge.io.files import find_images, is_image_name, natural_order
from microforge.io.outlines import OUTLINE_SUFFIXES
from microforge.io.pairing.conventions import INNER_FOLDERS, foreign
from microforge.io.points import POINTS_SUFFIXES


def found_annotations(annotations: Path, partner: str) -> list[Path]:
    """Find label images, or images wanted.

    Raises
    ------
    PairingError
        If there are none.
    """
    try:
        return find_images([_inner_folder(annotations)])
    except ImageReadError as error:
        problem = f"No {partner}s: {error.problem[0].lower()}{error.problem[1:]}"
        raise PairingError(problem, where=error.where, remedy=error.remedy) from error


def found_drawn(annotations: Path, partner: str) -> list[Path]:
    """Find label images and files of outlines.

    Raises
    ------
    PairingError
        If there are none.
    """
    outlines = outlines_in(annotations)
    try:
        return [*found_annotations(annotations, partner), *outlines]
    except PairingError as error:
        if outlines:
            return outlines
        raise PairingError(error.problem, where=error.where, remedy=f"{error.remedy} {foreign(annotations)}") from error


def outlines_in(place: Path) -> list[Path]:
    """Give the files of outlines in a folder, or the one given."""
    files = [place] if place.is_file() else list(place.iterdir()) if place.is_dir() else []
    visible = [path for path in files if not path.name.startswith(".")]
    return natural_order(path for path in visible if path.suffix.lower() in OUTLINE_SUFFIXES and path.is_file())


def _inner_folder(folder: Path) -> Path:
    """Give the folder inside that holds label images, where a folder holds none itself."""
    if not folder.is_dir() or any(is_image_name(path) for path in folder.iterdir()):
        return folder
    return next((folder / name for name in INNER_FOLDERS if (folder / name).is_dir()), folder)


def found_points(annotations: Path, _: str) -> list[Path]:
    """Find files of points.

    Raises
    ------
    PairingError
        If there are none.
    """
    if annotations.is_file():
        return [annotations]
    if not annotations.is_dir():
        raise PairingError("There is no such file or folder.", where=str(annotations), remedy="Check the name.")
    visible = (path for path in annotations.iterdir() if not path.name.startswith("."))
    found = natural_order(path for path in visible if path.suffix.lower() in POINTS_SUFFIXES and path.is_file())
    if not found:
        raise PairingError(
            "The folder holds no files of points.",
            where=str(annotations),
            remedy=f"They end in {', '.join(POINTS_SUFFIXES)}; folders inside it are not searched.",
        )
    return found
