"""Which annotation or target belongs to which image, by their names."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from microforge.errors import ImageReadError, PairingError
from microforge.io.files import find_images, image_stem, natural_order
from microforge.io.pair_names import clean_core, core, name_of, noisy_core, sorted_apart
from microforge.io.split_table import read_split

__all__ = ["Pair", "Pairing", "pair_folders", "read_split"]


@dataclass(frozen=True)
class Pair:
    """An image file and what a person drew on it, or what it should become; without either where none is needed.

    Attributes
    ----------
    others
        Further targets of the same image.
    """

    image: Path
    annotation: Path | None = None
    others: tuple[Path, ...] = ()

    @property
    def name(self) -> str:
        """The image's name without suffix."""
        return image_stem(self.image)


@dataclass(frozen=True)
class Pairing:
    """What was found in two folders.

    Attributes
    ----------
    images_alone, annotations_alone
        Files without a partner.
    partner
        What an image's partner is called: annotation, target; empty where none is needed.
    """

    pairs: tuple[Pair, ...]
    images_alone: tuple[Path, ...] = ()
    annotations_alone: tuple[Path, ...] = ()
    partner: str = "annotation"

    def report(self) -> str:
        """Say in plain words what was paired and what was not."""
        if not self.partner:
            return f"{_count(len(self.stems), 'image')}."
        several = max((1 + len(pair.others) for pair in self.pairs), default=1)
        partner = self.partner if several == 1 else f"{several} {self.partner}s"
        lines = [f"{_count(len(self.pairs), 'image')} with {partner}."]
        if self.images_alone:
            count = _count(len(self.images_alone), "image")
            without = partner if several == 1 else f"all {partner}"
            lines.append(f"{count} without {without}: {_some(self.images_alone)}.")
        if self.annotations_alone:
            count = _count(len(self.annotations_alone), self.partner)
            lines.append(f"{count} without image: {_some(self.annotations_alone)}.")
        return "\n".join(lines)

    def select(self, stems: Collection[str]) -> "Pairing":
        """Keep the images with these stems, as `read_split` gives them."""
        return replace(
            self,
            pairs=tuple(pair for pair in self.pairs if pair.name in stems),
            images_alone=tuple(path for path in self.images_alone if image_stem(path) in stems),
            annotations_alone=(),
        )

    def without(self, stems: Collection[str]) -> "Pairing":
        """Leave out the images with these stems."""
        return replace(
            self,
            pairs=tuple(pair for pair in self.pairs if pair.name not in stems),
            images_alone=tuple(path for path in self.images_alone if image_stem(path) not in stems),
        )

    @property
    def stems(self) -> tuple[str, ...]:
        """Names without suffix of all images, paired or not."""
        return (*(pair.name for pair in self.pairs), *(image_stem(path) for path in self.images_alone))


def pair_folders(
    images: str | Path,
    annotations: str | Path | None = None,
    *,
    more: Sequence[str | Path] = (),
    split: str | None = None,
    partner: str = "annotation",
) -> Pairing:
    """Pair images with annotations or targets by name, whatever people add to it (``_labels``, ``_clean``, ``img_``).

    Parameters
    ----------
    images, annotations
        Two folders, twice the same folder, or two files (which belong together whatever their names). Without
        annotations all images stand alone.
    more
        Folders of further targets of the same images; an image that lacks one of them stands alone.
    split
        ``table.csv:name``: keep only the images that the table gives this split; see `read_split`.
    partner
        What to call them when telling: annotation, target; empty where images need none.

    Raises
    ------
    ImageReadError
        If a folder or file is missing or holds no image.
    PairingError
        If no image has an annotation, or one has two.
    """
    first, *others = [None] if annotations is None else [Path(one) for one in (annotations, *more)]
    pairing = _pair(Path(images), first, partner)
    for other in others:
        if other is not None:
            pairing = _with_another(pairing, _pair(Path(images), other, partner), other)
    return pairing if split is None else pairing.select(read_split(split, pairing.stems))


def _pair(images: Path, annotations: Path | None, partner: str) -> Pairing:
    if annotations is None:
        return Pairing((), tuple(find_images([images])), partner=partner)
    partner = partner or "target"
    if images.is_file() and annotations.is_file():
        return Pairing((Pair(images, annotations),), partner=partner)
    if images.is_dir() and annotations.is_dir() and images.resolve() == annotations.resolve():
        image_files, annotation_files = sorted_apart(find_images([images]))
    else:
        image_files, annotation_files = find_images([images]), _found_annotations(annotations, partner)
    return _by_name(image_files, annotation_files, (images, annotations), partner)


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
            remedy=f"Images with one in this folder: {_some(list(added))}; in those before: "
            f"{_some([pair.image for pair in pairing.pairs])}.",
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


def _found_annotations(annotations: Path, partner: str) -> list[Path]:
    try:
        return find_images([annotations])
    except ImageReadError as error:
        problem = f"No {partner}s: {error.problem[0].lower()}{error.problem[1:]}"
        raise PairingError(problem, where=error.where, remedy=error.remedy) from error


def _by_name(images: Sequence[Path], annotations: Sequence[Path], where: tuple[Path, Path], partner: str) -> Pairing:
    partners = _partners(images, annotations, core, core, partner)
    # Words such as low and high may also be two exposures that are not each other's: only for those still alone.
    used = set(partners.values())
    images_left = [path for path in images if path not in partners]
    annotations_left = [path for path in annotations if path not in used]
    partners |= _partners(images_left, annotations_left, noisy_core, clean_core, partner)
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
    annotations: Sequence[Path],
    image_core: Callable[[Path], str],
    annotation_core: Callable[[Path], str],
    partner: str,
) -> dict[Path, Path]:
    """Give the annotation of each image that has one."""
    own_names = {name_of(path) for path in images}
    by_name, by_core = _table(annotations, name_of), _table(annotations, annotation_core)
    partners: dict[Path, Path] = {}
    for image in images:
        # An annotation that has the very name of another image is that one's.
        like = [path for path in by_core[image_core(image)] if name_of(path) not in own_names]
        found = list(dict.fromkeys([*by_name[name_of(image)], *like]))
        if len(found) > 1:
            raise _ambiguous(image, found, f"{partner}s")
        if found:
            partners[image] = found[0]
    for annotation, claimed in _table(partners, lambda image: str(partners[image])).items():
        if len(claimed) > 1:
            raise _ambiguous(Path(annotation), claimed, "images")
    return partners


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


def _no_pairs(
    images: Sequence[Path], annotations: Sequence[Path], where: tuple[Path, Path], partner: str
) -> PairingError:
    addition = "_clean" if partner == "target" else "_labels"
    if not annotations or not images:
        kind = "image" if not images else partner
        return PairingError(
            f"There is no {kind} among the files ({_some([*images, *annotations])}).",
            where=str(where[0]),
            remedy=f"Name {partner}s as their images plus {addition}, or put them into a folder of their own.",
        )
    return PairingError(
        f"No {partner} has the name of an image. Images: {_some(images)}; {partner}s: {_some(annotations)}.",
        where=str(where[1]),
        remedy=f"Name {partner}s as their images; additions such as {addition} or mask_ are understood.",
    )


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def _some(paths: Sequence[Path]) -> str:
    names = [path.name for path in natural_order(paths)]
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
