"""Steps in pictures with a sentence each: what stands in a tab while there is nothing to do in it yet."""

from qtpy.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from microforge.gui.widgets.look.icons import picture

_WIDTH = 84


class Steps(QWidget):  # type: ignore[misc]  # qtpy has no types
    """Pictures with a sentence each, below each other.

    Parameters
    ----------
    steps
        Name of a file in ``pictures/`` and a sentence, in which tags of HTML may stand.
    """

    def __init__(self, *steps: tuple[str, str]) -> None:
        super().__init__()
        page = QVBoxLayout(self)
        page.setContentsMargins(0, 0, 0, 0)
        page.setSpacing(10)
        for name, text in steps:
            page.addLayout(_row(name, text))


def _row(name: str, text: str) -> QHBoxLayout:
    pictured, sentence = QLabel(), QLabel(text)
    pictured.setPixmap(picture(name, _WIDTH))
    sentence.setWordWrap(True)
    sentence.setMinimumWidth(60)
    row = QHBoxLayout()
    row.addWidget(pictured)
    row.addWidget(sentence, 1)
    return row
