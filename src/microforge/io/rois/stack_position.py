"""Positions in ImageJ stacks: slices numbered through channels, planes and frames."""

from typing import NamedTuple

from microforge.errors import AnnotationError
from microforge.types import Image, PixelSize


class StackPosition(NamedTuple):
    """A plane and a time point, from 0; None where nothing was said."""

    z: int | None = None
    t: int | None = None


class Stack(NamedTuple):
    """How many channels, planes and frames an image has, as ImageJ shows it, and how large it is.

    Attributes
    ----------
    height, width
        In pixels; 0 where they are not known.
    pixel_size
        ``(Z)YX`` in micrometre; None where unknown.
    """

    channels: int
    planes: int
    frames: int
    height: int = 0
    width: int = 0
    pixel_size: PixelSize | None = None

    @classmethod
    def of(cls, image: Image) -> "Stack":
        """Give what ImageJ makes of an image; the samples of RGB are one slice."""
        sizes = dict(zip(image.axes, image.data.shape, strict=True))
        shown = (sizes.get("C", 1), sizes.get("Z", 1), sizes.get("T", 1))
        return cls(*shown, sizes.get("Y", 0), sizes.get("X", 0), image.pixel_size)

    def place(self, number: int) -> StackPosition:
        """Give plane and time point of the slice with this number, from 1; channels vary first, then planes.

        Raises
        ------
        AnnotationError
            If there is no such slice.
        """
        count = self.channels * self.planes * self.frames
        if number > count:
            raise AnnotationError(
                f"A point lies on slice {number}, but the image has {count} slice{'s' * (count != 1)}.",
                remedy="Check that the points were set on this very image.",
            )
        rest = (number - 1) // self.channels
        return StackPosition(rest % self.planes, rest // self.planes)


def stack_position_of(number: int, stack: Stack | None) -> StackPosition:
    """Give the place of a slice; 0 means that none was noted. Without a stack its number is taken for the plane."""
    if number <= 0:
        return StackPosition()
    return StackPosition(number - 1) if stack is None else stack.place(number)
