"""Evaluation of predicted images against ground truth: PSNR and SSIM of two image layers."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from napari.layers import Image
from qtpy.QtWidgets import QLabel, QVBoxLayout, QWidget

from microforge.errors import AnnotationError, MicroforgeError
from microforge.evaluation.compared_images import compare_images
from microforge.events import RunFailed
from microforge.gui.layers.convert import image_of
from microforge.gui.layers.marks import is_result
from microforge.gui.layers.results import DETAILS
from microforge.gui.session.background import Relay
from microforge.gui.session.state import Session
from microforge.gui.widgets.basics import Note, Picker, add_row, button, rows
from microforge.types import Image as EngineImage

IMAGES_NEEDED = (
    "Needs two image layers of the same field and size: the truth (a clean, sharp or stained image) and a result."
)
IMAGES_EXPLAINED = (
    "Higher is better. PSNR: strength of the image against its error, in dB; 3 dB more are half the error (squared). "
    "SSIM: likeness of structure, 1 = the same. After linear fit: brightness and contrast are matched first, as they "
    "differ between recordings. Report figures only of images that were not trained on."
)
#: In the order shown.
_FIGURES = ("PSNR", "PSNR after linear fit", "SSIM", "SSIM after linear fit")


@dataclass(frozen=True)
class LikenessMeasured:
    """The figures of each image compared with the truth, by the image's name."""

    metrics: Mapping[str, Mapping[str, float]]


class ImageReview(QWidget):  # type: ignore[misc]  # qtpy has no types
    """Choose the truth and a result, see how alike they are."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._relay = Relay("a comparison", self)
        self._busy = self._chosen = False
        self.truth = Picker("The image that is right: recorded with much light, in focus, or stained.", "none")
        self.result = Picker("The image to judge: a result of a model, or any other.", "none")
        self.compare = button("Compare", "Measure how alike both images are.", self.run)
        self.note = Note()
        self.scores = QLabel()
        self.scores.setWordWrap(True)
        self.scores.setToolTip(IMAGES_EXPLAINED)
        self.explained = Note(IMAGES_EXPLAINED)
        self._lay_out()
        self._connect()
        self.refresh()

    def refresh(self) -> None:
        """Offer the image layers there are, results last."""
        here = [layer for layer in self._session.viewer.layers if isinstance(layer, Image) and not _compares(layer)]
        self._busy = True
        for picker in (self.truth, self.result):
            picker.set_choices([(layer.name, layer) for layer in here])
        self._suggest(here)
        self._busy = False
        self.compare.setEnabled(len(here) > 1 and not self._relay.running)
        if len(here) < 2:
            self.note.say(IMAGES_NEEDED, "info")
        elif self.note.text() == IMAGES_NEEDED:
            self.note.say("")

    def _suggest(self, here: Sequence[Image]) -> None:
        """Show the layers that are likely meant, until she has chosen some: the newest result, and what it is not."""
        made = [layer for layer in here if is_result(layer)] or list(here)
        if not self._chosen and made:
            self.result.set_value(made[-1])
            source = self._source(made[-1])
            others = [layer for layer in here if layer not in (made[-1], source) and not is_result(layer)]
            fitting = [layer for layer in others if layer.data.shape == made[-1].data.shape]
            for layer in (others[-1:], fitting[-1:]):
                self.truth.set_value(*layer or [None])

    def _on_chosen(self, _: object) -> None:
        self._chosen = self._chosen or not self._busy

    def run(self) -> None:
        """Compare the chosen layers in the background."""
        truth, result = self.truth.value(), self.result.value()
        try:
            _check(truth, result)
            # All have one shape; what its axes are is known best of a result.
            like = image_of(result, self._session.axes_of(result))
            images = {layer.name: replace(like, data=layer.data) for layer in (result, *self._originals(truth, result))}
            self._relay.start(partial(_events, replace(like, data=truth.data), images))
        except MicroforgeError as error:
            self.note.say(str(error), "error")
            return
        self.note.say("Comparing …", "info")
        self.compare.setEnabled(False)

    def _originals(self, truth: Image, result: Image) -> list[Image]:
        """Give the image that a result was made from, to see what was gained."""
        source = self._source(result)
        fits = source is not None and source is not truth and source.data.shape == truth.data.shape
        return [source] if fits else []

    def _source(self, result: Image) -> Image | None:
        known = result.metadata.get(DETAILS, {}).get("source")
        return next((layer for layer in self._session.images() if layer.unique_id == known), None)

    def _lay_out(self) -> None:
        form = rows()
        add_row(form, "Truth", self.truth)
        add_row(form, "Result", self.result)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(form)
        for widget in (self.compare, self.note, self.scores, self.explained):
            column.addWidget(widget)
        column.addStretch(1)
        self.scores.hide()
        self.explained.hide()

    def _connect(self) -> None:
        layers = self._session.viewer.layers
        self._sources = (layers.events.inserted, layers.events.removed, layers.events.renamed)
        for source in self._sources:
            source.connect(self._on_layers_changed)
        self._session.closing.connect(self._on_closing)
        self.truth.value_changed.connect(self._on_chosen)
        self.result.value_changed.connect(self._on_chosen)
        self._relay.event.connect(self._on_event)
        self._relay.finished.connect(self.refresh)

    def _on_closing(self) -> None:
        for source in self._sources:
            source.disconnect(self._on_layers_changed)
        self._relay.stop()
        self._relay.wait(5)

    def _on_layers_changed(self, _event: Any) -> None:
        self.refresh()

    def _on_event(self, event: LikenessMeasured | RunFailed) -> None:
        if isinstance(event, RunFailed):
            self.note.say(f"{event.problem} {event.remedy}", "error")
            return
        self.note.say("")
        self.scores.setText(_table(event))
        self.scores.show()
        self.explained.show()


def _check(truth: Image | None, result: Image | None) -> None:
    """Refuse layers that cannot be compared.

    Raises
    ------
    AnnotationError
        Says why.
    """
    if truth is None or result is None or truth is result:
        raise AnnotationError("Truth and result are the same layer.", remedy="Choose two layers.")
    if truth.multiscale or result.multiscale:
        raise AnnotationError("Images in several resolutions cannot be compared.", remedy="Choose other layers.")
    if truth.data.shape != result.data.shape:
        sizes = [" × ".join(str(n) for n in layer.data.shape) for layer in (truth, result)]
        raise AnnotationError(
            f"The layers differ in size: {sizes[0]} and {sizes[1]}.",
            remedy="Choose layers of the same field with the same number of pixels.",
        )


def _compares(layer: Image) -> bool:
    """Whether a layer only compares two others."""
    return bool(layer.metadata.get("split")) or "removed_from" in layer.metadata


def _events(truth: EngineImage, compared: Mapping[str, EngineImage]) -> Iterator[LikenessMeasured]:
    yield LikenessMeasured({name: compare_images(truth, image, _FIGURES) for name, image in compared.items()})


def _table(measured: LikenessMeasured) -> str:
    """Give the figures as a small table, one line per figure."""
    names = list(measured.metrics)
    lines: list[Sequence[str]] = [["", *(["result", "original"][: len(names)])]]
    for title in _FIGURES:
        digits, unit = (1, " dB") if title.startswith("PSNR") else (3, "")
        lines.append([title, *(f"{measured.metrics[name][title]:.{digits}f}{unit}" for name in names)])
    cells = "".join(
        f"<tr><td>{line[0]}&nbsp;&nbsp;</td>{''.join(f'<td align=right>&nbsp;&nbsp;{c}</td>' for c in line[1:])}</tr>"
        for line in lines
    )
    return f"<table width='100%'>{cells}</table>"
