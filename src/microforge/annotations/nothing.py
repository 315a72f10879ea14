"""No annotation: self-supervised tasks learn from the images themselves."""

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from microforge.annotations.base import AnnotationKind
from microforge.axes.samples import to_samples
from microforge.io.pairing import Pair, Pairing
from microforge.types import Image, Sample


class Nothing(AnnotationKind):
    """Images alone."""

    name: ClassVar[str] = "none"
    partner: ClassVar[str] = ""
    optional: ClassVar[bool] = True

    def read(self, image: Image, pair: Pair, axes: str | None, target_axes: str | None) -> list[Sample]:
        """Give the samples; whatever lies beside the image is not read."""
        return to_samples(image)

    def usable(self, pairing: Pairing) -> Sequence[Pair]:
        """Give all images, also those that have a partner by chance."""
        return (*pairing.pairs, *(Pair(path) for path in pairing.images_alone))

    def wrong_use(self, task: str, given: Sequence[Path]) -> str:
        """Refuse folders that would not be used."""
        if given:
            return f"'{task}' learns from the images alone: the folder {given[0]} is not used. Leave it out."
        return ""


NOTHING = Nothing()
