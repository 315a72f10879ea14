"""What models answer with, one entry for each kind: come here to let models give something new.

An entry knows its files and table rows, and what its answers are compared with. A task names its entry in
`Task.answer`; nothing else asks which kind it is. What the window does with it is in `gui.apply.results` and
`gui.review`.
"""

from microforge.answers.base import AnswerKind, Result, ResultRules
from microforge.answers.cells import CELLS
from microforge.answers.image_classes import IMAGE_CLASS
from microforge.answers.images import PREDICTED_IMAGE
from microforge.answers.labels import OBJECTS, PIXEL_CLASSES

__all__ = [
    "CELLS",
    "IMAGE_CLASS",
    "OBJECTS",
    "PIXEL_CLASSES",
    "PREDICTED_IMAGE",
    "AnswerKind",
    "Result",
    "ResultRules",
]
