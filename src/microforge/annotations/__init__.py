"""What a person annotates, one entry for each kind: come here to let tasks learn from something new.

An entry knows its files: what an image's partner on disk is called, how partners are found, and how they become
samples. A task names its entry in `Task.annotation`; nothing else asks which kind it is. What the window needs of a
kind is in `gui.session.annotations` (layers, words) and `gui.annotate.tools`.
"""

from microforge.annotations.base import AnnotationKind
from microforge.annotations.image_classes import IMAGE_CLASSES
from microforge.annotations.image_pairs import IMAGE_PAIRS
from microforge.annotations.labels import LABELS
from microforge.annotations.nothing import NOTHING
from microforge.annotations.points import POINTS

__all__ = ["IMAGE_CLASSES", "IMAGE_PAIRS", "LABELS", "NOTHING", "POINTS", "AnnotationKind"]
