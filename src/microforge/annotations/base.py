"""The interface of a kind of annotation; come here for what an entry must define."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from microforge.axes.samples import to_samples
from microforge.errors import PairingError
from microforge.io.pairing import Pair, Pairing, pair_by_name, pair_folders
from microforge.types import Image, Sample


class AnnotationKind(ABC):
    """A kind of annotation: its words, its files, and how they are read.

    Attributes
    ----------
    name
        One word, as `microforge tasks` and results of `evaluate` tell it.
    partner
        What an image's partner on disk is called; empty where images need none.
    folder
        What the folder of partners is, for messages.
    one
        What is called that of which one only can be given.
    optional
        Whether nothing needs to be given, as the images themselves may say it.
    several
        Whether further folders may be given, of more partners of the same images.
    of_places
        Whether it is made of single places, of which few teach little.
    drawn
        Which field of `microforge.data.drawn.DrawnImage` holds it; empty where nothing is drawn.
    axes_matter
        Whether a stack taken for a time series would not be noticed later, so that axes must be known.
    """

    name: ClassVar[str]
    partner: ClassVar[str] = "annotation"
    folder: ClassVar[str] = "a folder of annotations"
    one: ClassVar[str] = "folder of annotations"
    optional: ClassVar[bool] = False
    several: ClassVar[bool] = False
    of_places: ClassVar[bool] = False
    axes_matter: ClassVar[bool] = True
    drawn: ClassVar[str] = ""

    @abstractmethod
    def read(self, image: Image, pair: Pair, axes: str | None, target_axes: str | None) -> list[Sample]:
        """Read what belongs to an image, and give its samples, one per time point.

        Parameters
        ----------
        pair
            Has a partner.
        axes, target_axes
            What was said of the dimensions of images and of targets; None where nothing was.

        Raises
        ------
        MicroforgeError
            If it cannot be read, or does not fit the image.
        """

    def samples(
        self, image: Image, pair: Pair, axes: str | None = None, target_axes: str | None = None
    ) -> list[Sample]:
        """Give the samples of an image, also of one that has no partner."""
        return to_samples(image) if pair.annotation is None else self.read(image, pair, axes, target_axes)

    def find(self, images: Path, partners: Path | None, partner: str) -> Pairing:
        """Find the partners of images."""
        return pair_by_name(images, partners, partner)

    def pair(self, images: Path | str, folders: Sequence[Path | str] = (), *, split: str | None = None) -> Pairing:
        """Pair images with what was given for them.

        Parameters
        ----------
        folders
            None, one, or where `several` is true more.
        split
            ``table.csv:name``: only the images that the table gives this split.

        Raises
        ------
        MicroforgeError
            If files are missing or unreadable, or nothing can be paired.
        """
        first, *more = folders or (None,)
        return pair_folders(
            images, first, more=[one for one in more if one], split=split, partner=self.partner, find=self.find
        )

    def pair_truth(self, images: Path | str, folders: Sequence[Path | str], *, split: str | None = None) -> Pairing:
        """Pair images with what their predictions are compared with.

        Raises
        ------
        PairingError
            If nothing was given to compare with, and the images themselves do not say it.
        """
        if not folders and not self.optional:
            raise PairingError(
                "There is nothing to compare the results with.",
                where=str(images),
                remedy="Give the folder of annotations, points or target images as well.",
            )
        return self.pair(images, folders, split=split)

    def usable(self, pairing: Pairing) -> Sequence[Pair]:
        """Give the pairs that can be learnt from."""
        return pairing.pairs

    def wrong_use(self, task: str, given: Sequence[Path]) -> str:
        """Say what is wrong with the folders given for a task, in words; empty if nothing."""
        if not given and not self.optional:
            return f"'{task}' needs {self.folder}: microforge train {task} IMAGES FOLDER."
        if len(given) > 1 and not self.several:
            return f"'{task}' takes one {self.one}, not {len(given)}: leave out {given[1]}."
        return ""
