"""Image classes as a kind of annotation in the window (image classification)."""

from typing import Any, ClassVar

from microforge.annotations import IMAGE_CLASSES, AnnotationKind
from microforge.gui.session.annotated_image import Annotated
from microforge.gui.session.annotations.base import AxesOf, ListWords, WindowAnnotation
from microforge.tasks import Readiness
from microforge.types import Image


class ClassesInWindow(WindowAnnotation):
    """A class given to an image."""

    kind: ClassVar[AnnotationKind] = IMAGE_CLASSES
    column: ClassVar[str] = "Class"
    nothing: ClassVar[Readiness] = Readiness(
        "No image has a class yet.", "Choose an image and press the button of its class."
    )
    is_live: ClassVar[bool] = True
    words: ClassVar[ListWords] = ListWords(
        "No image has a class yet: start in Annotate.",
        "Classes",
        "Table of classes",
        "A table (CSV) with a line for each image: its name and its class. Leave it empty where the folder of images "
        "holds a folder for each class, named as the class.",
        "Images on disk, and the class of each: in a table, or by the folder it lies in.",
        ("files",),
    )

    def is_given(self, item: Annotated) -> bool:
        """Tell whether it has a class."""
        return bool(item.class_name)

    def take_away(self, item: Annotated) -> None:
        """Take the class away."""
        item.class_name = ""

    def take(self, item: Annotated, image: Image, axes_of: AxesOf, *, copy: bool) -> dict[str, Any]:
        """Give the class."""
        return {"class_name": item.class_name}

    def name_of(self, item: Annotated) -> str:
        """Give the class."""
        return item.class_name
