"""`Pair` and `Pairing`: an image with what belongs to it, and a report of what was not paired."""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from microforge.io.files import image_stem, natural_order


@dataclass(frozen=True)
class Pair:
    """An image file and what a person drew on it, or what it should become; without either where none is needed.

    Attributes
    ----------
    others
        Further targets of the same image.
    class_name
        The class of the whole image, where that is what was given.
    group
        What the image belongs to, such as a slide or a well; empty where nobody said so.
    """

    image: Path
    annotation: Path | None = None
    others: tuple[Path, ...] = ()
    class_name: str = ""
    group: str = ""

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
        What an image's partner is called: annotation, target, points file; empty where none is needed.
    """

    pairs: tuple[Pair, ...]
    images_alone: tuple[Path, ...] = ()
    annotations_alone: tuple[Path, ...] = ()
    partner: str = "annotation"

    def report(self) -> str:
        """Say in plain words what was paired and what was not."""
        if not self.partner:
            return f"{number_of(len(self.stems), 'image')}."
        if any(pair.class_name for pair in self.pairs):
            return self._report_of_classes()
        several = max((1 + len(pair.others) for pair in self.pairs), default=1)
        partner = self.partner if several == 1 else f"{several} {self.partner}s"
        lines = [f"{number_of(len(self.pairs), 'image')} with {partner}."]
        if self.images_alone:
            count = number_of(len(self.images_alone), "image")
            without = partner if several == 1 else f"all {partner}"
            lines.append(f"{count} without {without}: {some(self.images_alone)}.")
        if self.annotations_alone:
            count = number_of(len(self.annotations_alone), self.partner)
            lines.append(f"{count} without image: {some(self.annotations_alone)}.")
        return "\n".join(lines)

    def _report_of_classes(self) -> str:
        count = Counter(pair.class_name for pair in self.pairs)
        classes = ", ".join(f"{number} {name}" for name, number in sorted(count.items()))
        lines = [f"{number_of(len(self.pairs), 'image')} with a class: {classes}."]
        lines += [
            f"{' and '.join(same)} are taken as different classes: is one a slip of the keys?" for same in _alike(count)
        ]
        if self.images_alone:
            lines.append(f"{number_of(len(self.images_alone), 'image')} without a class: {some(self.images_alone)}.")
        if self.annotations_alone:
            named = number_of(len(self.annotations_alone), "name")
            lines.append(f"{named} in the table without image: {some(self.annotations_alone)}.")
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

    def grouped(self, groups: Mapping[str, str]) -> "Pairing":
        """Give each image its group by its stem, as `read_groups` gives them; others have none."""
        return replace(self, pairs=tuple(replace(pair, group=groups.get(pair.name, "")) for pair in self.pairs))

    @property
    def stems(self) -> tuple[str, ...]:
        """Names without suffix of all images, paired or not."""
        return (*(pair.name for pair in self.pairs), *(image_stem(path) for path in self.images_alone))


def _alike(names: Iterable[str]) -> list[list[str]]:
    """Give the names that differ in capitals and gaps only."""
    found: dict[str, list[str]] = {}
    for name in sorted(names):
        found.setdefault(re.sub(r"[-_\s]+", "", name).casefold(), []).append(f"'{name}'")
    return [same for same in found.values() if len(same) > 1]


def number_of(number: int, thing: str) -> str:
    """Say how many there are of a thing."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def some(paths: Sequence[Path]) -> str:
    """Name the first few files."""
    names = [path.name for path in natural_order(paths)]
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
