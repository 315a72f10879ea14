"""Image pairs as a kind of annotation in the window (restoration, virtual staining)."""

from typing import Any, ClassVar

from microforge.annotations import IMAGE_PAIRS, AnnotationKind
from microforge.errors import AnnotationError
from microforge.gui.layers.convert import image_of
from microforge.gui.session.annotated_image import Annotated
from microforge.gui.session.annotations.base import AxesOf, ListWords, WindowAnnotation, layer_names
from microforge.tasks import Readiness
from microforge.types import Image


class PairsInWindow(WindowAnnotation):
    """Image layers that an image should become."""

    kind: ClassVar[AnnotationKind] = IMAGE_PAIRS
    column: ClassVar[str] = "Target"
    nothing: ClassVar[Readiness] = Readiness(
        "No pair is chosen yet.", "Choose an image and its target and press Use this pair."
    )
    words: ClassVar[ListWords] = ListWords(
        "No pair is chosen yet: start in Annotate.",
        "Targets",
        "Folder of targets",
        "What the images are to become, with the same names; for several targets per image one folder each, separated "
        "by semicolons.",
        "Images on disk, and what they are to become in another folder, with the same names.",
    )

    def is_given(self, item: Annotated) -> bool:
        """Tell whether there are targets."""
        return bool(item.targets)

    def take_away(self, item: Annotated) -> None:
        """Let go of the targets."""
        item.targets = ()

    def take(self, item: Annotated, image: Image, axes_of: AxesOf, *, copy: bool) -> dict[str, Any]:
        """Give the targets.

        Raises
        ------
        AnnotationError
            If one of them is the image itself.
        """
        if item.image in item.targets:
            raise AnnotationError(
                "Image and target are the same layer.", where=item.image.name, remedy="Choose another target."
            )
        return {"targets": tuple(image_of(target, axes_of(target)) for target in item.targets)}

    def name_of(self, item: Annotated) -> str:
        """Name the targets."""
        return layer_names(item.targets)
