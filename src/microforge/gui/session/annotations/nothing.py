"""Images without annotation as a kind of annotation in the window (self-supervised denoising)."""

from typing import Any, ClassVar

from microforge.annotations import NOTHING, AnnotationKind
from microforge.gui.session.annotated_image import Annotated
from microforge.gui.session.annotations.base import AxesOf, ListWords, WindowAnnotation
from microforge.tasks import Readiness
from microforge.types import Image


class NothingInWindow(WindowAnnotation):
    """An image that was chosen, without anything drawn."""

    kind: ClassVar[AnnotationKind] = NOTHING
    nothing: ClassVar[Readiness] = Readiness("No image is chosen yet.", "Choose an image and press Use this image.")
    words: ClassVar[ListWords] = ListWords(
        "No image is chosen yet: start in Annotate.", "", "", "", "Images on disk that are trained on as well."
    )

    def is_given(self, item: Annotated) -> bool:
        """Tell whether it was chosen."""
        return item.alone

    def take_away(self, item: Annotated) -> None:
        """Choose it no more."""
        item.alone = False

    def take(self, item: Annotated, image: Image, axes_of: AxesOf, *, copy: bool) -> dict[str, Any]:
        """Nothing besides the image."""
        return {}
