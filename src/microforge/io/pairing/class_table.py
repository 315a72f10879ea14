"""Pair images with their class, from a table or from folders named by class."""

from collections.abc import Mapping
from pathlib import Path

from microforge.errors import AnnotationError, ImageReadError, PairingError, readable
from microforge.io.files import find_images, image_stem, is_image_name, natural_order
from microforge.io.pairing.pair import Pair, Pairing, some
from microforge.io.tables import Table, as_number, listed, plain_name, read_table

_NAME = ("name", "file", "filename", "file name", "image", "image name", "path", "stem", "images", "files")
_CLASS = ("class", "label", "classes", "labels", "class name")
_PERHAPS_CLASS = ("quality", "category", "group", "treatment", "condition", "phenotype", "type", "kind")
#: Says which images are to measure quality on, never what they show.
_SPLIT = "split"


def read_classes(path: str | Path) -> Mapping[str, str]:
    """Read the class of each image from a table with a column of names and one of classes.

    The names may have suffixes and folders. The column of classes is called `class` or `label`, or otherwise the only
    one called quality, category, group, treatment or the like, or the only other column with words in it.

    Returns
    -------
    mapping
        Class by the image's name without suffix. Images with an empty class are left out.

    Raises
    ------
    AnnotationError
        If the table cannot be read, it is not clear which columns are meant, or an image has two classes.
    """
    table = read_table(path)
    name_column = table.find(_NAME)
    if name_column is None:
        raise AnnotationError(
            "The table has no column with the names of images.",
            where=str(path),
            remedy=f"Call it 'name'. Its columns are {listed(table.columns)}.",
        )
    class_column = _class_column(table, name_column)
    classes: dict[str, str] = {}
    for row in table.rows:
        stem, own = _stem(row.cells[name_column]), row.cells[class_column]
        if own and classes.setdefault(stem, own) != own:
            raise AnnotationError(
                f"Line {row.line} gives {stem} the class '{own}', a line before it '{classes[stem]}'.",
                where=str(path),
                remedy="Remove one of the two lines.",
            )
    classes.pop("", None)
    if not classes:
        raise AnnotationError("The table gives no image a class.", where=str(path), remedy="Fill in its classes.")
    return classes


def _class_column(table: Table, name_column: int) -> int:
    named = table.find(_CLASS)
    if named is not None:
        return named
    others = [k for k, name in enumerate(table.columns) if k != name_column and plain_name(name) != _SPLIT]
    perhaps = [k for k in others if plain_name(table.columns[k]) in _PERHAPS_CLASS]
    found = perhaps or [k for k in others if any(text and as_number(text) is None for text in table.texts(k))]
    if len(found) == 1:
        return found[0]
    several = f"It may be any of {listed(table.columns[k] for k in found)}" if found else "None of them holds words"
    raise AnnotationError(
        f"It is not clear which column of the table is the class. {several}.",
        where=str(table.path),
        remedy=f"Call the one meant 'class'. Its columns are {listed(table.columns)}.",
    )


def _stem(name: str) -> str:
    path = Path(name.replace("\\", "/"))
    return image_stem(path) if is_image_name(path) else path.name


def pair_classes(images: Path, classes: Path | None, partner: str = "class") -> Pairing:
    """Give each image its class.

    Parameters
    ----------
    classes
        A table; None, or the folder of the images, if this has a folder for each class.
    partner
        What the class of an image is called.

    Raises
    ------
    AnnotationError, ImageReadError
        If the table or the folder cannot be read.
    PairingError
        If no image gets a class.
    """
    if classes is not None and not classes.is_dir():
        return _by_table(find_images([images]), classes, partner)
    if classes is not None and classes.resolve() != images.resolve():
        raise PairingError(
            "Classes come from a table, or from folders inside that of the images; this is another folder.",
            where=str(classes),
            remedy="Give a CSV table with the columns name and class.",
        )
    return _by_folder(images, partner)


def _by_table(images: list[Path], path: Path, partner: str) -> Pairing:
    classes = {stem.lower(): (stem, own) for stem, own in read_classes(path).items()}
    stems = {image: image_stem(image).lower() for image in images}
    pairs = tuple(Pair(image, class_name=classes[stem][1]) for image, stem in stems.items() if stem in classes)
    if not pairs:
        raise PairingError(
            f"The table names none of the images. It names {listed(stem for stem, _ in classes.values())}; "
            f"the images are {some(images)}.",
            where=str(path),
            remedy="Write the names of the images into the column of names.",
        )
    missing = [Path(stem) for key, (stem, _) in classes.items() if key not in stems.values()]
    alone = tuple(image for image, stem in stems.items() if stem not in classes)
    return Pairing(pairs, alone, tuple(missing), partner)


def _by_folder(images: Path, partner: str) -> Pairing:
    alone = _images_of(images) if images.is_dir() else find_images([images])
    folders = (
        [one for one in images.iterdir() if one.is_dir() and not one.name.startswith(".")] if images.is_dir() else []
    )
    pairs = [
        Pair(path, class_name=readable(folder.name)) for folder in natural_order(folders) for path in _images_of(folder)
    ]
    if not pairs:
        raise PairingError(
            "It is not said which class each image has.",
            where=str(images),
            remedy="Give a CSV table with the columns name and class, or put the images of each class into a folder "
            "of its own inside this one.",
        )
    return Pairing(tuple(pairs), tuple(alone), (), partner)


def _images_of(folder: Path) -> list[Path]:
    try:
        return find_images([folder])
    except ImageReadError:
        # A folder without images is none of a class.
        return []
