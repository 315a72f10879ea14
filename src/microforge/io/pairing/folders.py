"""Pair images with annotations or targets by file name: `pair_folders`."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from microforge.errors import PairingError
from microforge.io.files import find_images, natural_order
from microforge.io.outlines import images_of_coco
from microforge.io.pairing.candidates import found_annotations, found_drawn, found_points, outlines_in
from microforge.io.pairing.conventions import CONVENTIONS, case_of_channel, foreign, plain_numbers
from microforge.io.pairing.mask_folders import pairs_of_mask_folders
from microforge.io.pairing.names import (
    clean_core,
    core,
    name_of,
    name_of_points,
    noisy_core,
    pointed_core,
    points_core,
    sorted_apart,
)
from microforge.io.pairing.pair import Pair, Pairing, some
from microforge.io.pairing.split_table import read_split
from microforge.io.points import without_twins

#: What finds the partners of images: the folder of images, that of partners (None: not given), and what to call one.
PairFinder = Callable[[Path, Path | None, str], Pairing]


def pair_by_name(images: Path, annotations: Path | None, partner: str = "annotation") -> Pairing:
    """Find partners that are image files themselves: label images, or images wanted."""
    return _pair(images, annotations, partner, found_annotations, _DRAWN)


def pair_drawn(images: Path, drawn: Path | None, partner: str = "annotation") -> Pairing:
    """Find partners that are label images, or files of outlines: one for each image, or COCO's for all of them."""
    if drawn is not None and drawn.suffix.lower() == ".json" and (names := images_of_coco(drawn)):
        files = find_images([images])
        pairs = tuple(Pair(path, drawn) for path in files if path.name.lower() in names)
        if pairs:
            return Pairing(pairs, tuple(path for path in files if path.name.lower() not in names), partner=partner)
    return _pair(images, drawn, partner, found_drawn, _LABELLED)


def pair_points(images: Path, points: Path | None, partner: str = "points file") -> Pairing:
    """Find partners that are files of points, which differ from images in their suffixes (.csv, .zip, .roi, .xml)."""
    return _pair(images, points, partner, found_points, _POINTS)


def pair_folders(
    images: str | Path,
    annotations: str | Path | None = None,
    *,
    more: Sequence[str | Path] = (),
    split: str | None = None,
    partner: str = "annotation",
    find: PairFinder = pair_by_name,
) -> Pairing:
    """Pair images with annotations or targets by name, whatever people add to it (``_labels``, ``_clean``, ``img_``).

    Parameters
    ----------
    images, annotations
        Two folders, twice the same folder, or two files (which belong together whatever their names). Without
        annotations all images stand alone. Classes of images come from a table with the columns name and class, or,
        without annotations, from the folders of their names that `images` holds.
    more
        Folders of further targets of the same images; an image that lacks one of them stands alone.
    split
        ``table.csv:name``: keep only the images that the table gives this split; see `read_split`.
    partner
        What to call them when telling: annotation, target, points file; empty where images need none.
    find
        What finds the partners: `pair_by_name`, `pair_points`, `pair_classes`.

    Raises
    ------
    AnnotationError
        If a table of classes cannot be read.
    ImageReadError
        If a folder or file is missing or holds no image.
    PairingError
        If no image has an annotation, or one has two.
    """
    first, *others = [None] if annotations is None else [Path(one) for one in (annotations, *more)]
    pairing = find(Path(images), first, partner)
    for other in others:
        if other is not None:
            pairing = _with_another(pairing, find(Path(images), other, partner), other)
    return pairing if split is None else pairing.select(read_split(split, pairing.stems))


def _pair(
    images: Path, annotations: Path | None, partner: str, find: Callable[[Path, str], list[Path]], names: "_Names"
) -> Pairing:
    if annotations is None:
        return Pairing((), tuple(find_images([images])), partner=partner)
    partner = partner or "target"
    if images.is_file() and annotations.is_file():
        return Pairing((Pair(images, annotations),), partner=partner)
    same = images.is_dir() and annotations.is_dir() and images.resolve() == annotations.resolve()
    if same and names is not _POINTS:
        if mask_folders := pairs_of_mask_folders(images):
            return Pairing(tuple(mask_folders), partner=partner)
        image_files, annotation_files = sorted_apart(find_images([images]))
        if names is _LABELLED and (outlines := outlines_in(images)):
            annotation_files = [*annotation_files, *outlines]
    else:
        image_files, annotation_files = find_images([images]), find(annotations, partner)
    return _by_name(image_files, annotation_files, (images, annotations), partner, names)


def _with_another(pairing: Pairing, further: Pairing, where: Path) -> Pairing:
    """Add a further target to each pair; images that have the one but not the other stand alone."""
    added = {pair.image: pair.annotation for pair in further.pairs if pair.annotation is not None}
    for pair in pairing.pairs:
        if added.get(pair.image) in (pair.annotation, *pair.others):
            raise PairingError(
                "The same folder is given twice.", where=str(where), remedy="Give each folder of targets once."
            )
    both = tuple(
        replace(pair, others=(*pair.others, added[pair.image])) for pair in pairing.pairs if pair.image in added
    )
    if not both:
        raise PairingError(
            f"No image has a {pairing.partner} in every folder.",
            where=str(where),
            remedy=f"Images with one in this folder: {some(list(added))}; in those before: "
            f"{some([pair.image for pair in pairing.pairs])}.",
        )
    known = [*(pair.image for pair in (*pairing.pairs, *further.pairs)), *pairing.images_alone, *further.images_alone]
    paired = {pair.image for pair in both}
    alone = natural_order({path for path in known if path not in paired})
    return replace(
        pairing,
        pairs=both,
        images_alone=tuple(alone),
        annotations_alone=(*pairing.annotations_alone, *further.annotations_alone),
    )


_Cores = tuple[Callable[[Path], str], Callable[[Path], str]]


class _Names(NamedTuple):
    """How names are compared: that of an annotation, the core of it and of an image; in one way after the other.

    Guesses are taken where no two files fit the same one; if there is nothing else, such files are told.
    Of files that fit the same image, `without_twins` keeps one of those that say the same.
    """

    annotation: Callable[[Path], str]
    ways: tuple[_Cores, ...]
    guesses: tuple[_Cores, ...] = ()
    without_twins: Callable[[Sequence[Path]], list[Path]] = list


# Words such as low and high may also be two exposures that are not each other's: only for those still alone.
_DRAWN = _Names(
    name_of,
    ((core, core), (noisy_core, clean_core)),
    (*(one.cores for one in CONVENTIONS), (plain_numbers, plain_numbers)),
)
# Values like those of `_DRAWN`; another one, as files of outlines are looked for as well.
_LABELLED = _DRAWN._replace()
_POINTS = _Names(name_of_points, ((pointed_core, points_core),), without_twins=without_twins)


def _by_name(
    images: Sequence[Path], annotations: Sequence[Path], where: tuple[Path, Path], partner: str, names: _Names
) -> Pairing:
    partners: dict[Path, Path] = {}
    for image_core, annotation_core in (*names.ways, *names.guesses):
        used = set(partners.values())
        images_left = [path for path in images if path not in partners]
        annotations_left = [path for path in annotations if path not in used]
        tables = _table(annotations_left, names.annotation), _table(annotations_left, annotation_core)
        guessed = (image_core, annotation_core) in names.guesses
        if guessed and partners and not _one_to_one(images_left, image_core, tables[1]):
            continue
        partners |= _partners(images_left, tables, image_core, names, partner)
    if not partners:
        raise _no_pairs(images, annotations, where, partner)
    used = set(partners.values())
    return Pairing(
        tuple(Pair(image, partners[image]) for image in images if image in partners),
        tuple(path for path in images if path not in partners),
        tuple(path for path in annotations if path not in used),
        partner,
    )


def _partners(
    images: Sequence[Path],
    annotations: tuple[Mapping[str, list[Path]], Mapping[str, list[Path]]],
    image_core: Callable[[Path], str],
    names: _Names,
    partner: str,
) -> dict[Path, Path]:
    """Give the annotation of each image that has one; annotations are tables by name and by core."""
    own_names = {name_of(path) for path in images}
    by_name, by_core = annotations
    partners: dict[Path, Path] = {}
    for image in images:
        # An annotation that has the very name of another image is that one's.
        like = [path for path in by_core.get(image_core(image), []) if names.annotation(path) not in own_names]
        found = names.without_twins(list(dict.fromkeys([*by_name.get(name_of(image), []), *like])))
        if len(found) > 1:
            raise _ambiguous(image, found, f"{partner}s")
        if found:
            partners[image] = found[0]
    for annotation, claimed in _table(partners, lambda image: str(partners[image])).items():
        if len(claimed) > 1 and len({case_of_channel(image) for image in claimed} - {""}) == 1:
            raise _channels_apart(Path(annotation), claimed)
        if len(claimed) > 1:
            raise _ambiguous(Path(annotation), claimed, "images")
    return partners


def _one_to_one(
    images: Sequence[Path], core_of: Callable[[Path], str], annotations: Mapping[str, Sequence[Path]]
) -> bool:
    claimed = [core_of(path) for path in images if core_of(path) in annotations]
    return len(set(claimed)) == len(claimed) and all(len(annotations[core]) == 1 for core in claimed)


def _table(paths: Iterable[Path], key: Callable[[Path], str]) -> dict[str, list[Path]]:
    table: dict[str, list[Path]] = defaultdict(list)
    for path in paths:
        table[key(path)].append(path)
    return table


def _ambiguous(one: Path, others: Sequence[Path], kind: str) -> PairingError:
    return PairingError(
        f"Two {kind} fit: {others[0].name} and {others[1].name}.",
        where=str(one),
        remedy="Move or rename one of them.",
    )


def _channels_apart(annotation: Path, images: Sequence[Path]) -> PairingError:
    return PairingError(
        f"{len(images)} images belong to it ({some(images)}), as if each were one channel.",
        where=str(annotation),
        remedy="Join the channels into one image (Fiji: Image > Color > Merge Channels), or leave one of them in the "
        "folder.",
    )


def _no_pairs(
    images: Sequence[Path], annotations: Sequence[Path], where: tuple[Path, Path], partner: str
) -> PairingError:
    addition = {"target": "_clean", "points file": "_points"}.get(partner, "_labels")
    if not annotations or not images:
        kind = "image" if not images else partner
        return PairingError(
            f"There is no {kind} among the files ({some([*images, *annotations])}).",
            where=str(where[0]),
            remedy=f"Name {partner}s as their images plus {addition}, or put them into a folder of their own. "
            f"{foreign(where[1])}".strip(),
        )
    return PairingError(
        f"No {partner} has the name of an image. Images: {some(images)}; {partner}s: {some(annotations)}.",
        where=str(where[1]),
        remedy=f"Name {partner}s as their images; additions such as {addition} or mask_ are understood.",
    )
