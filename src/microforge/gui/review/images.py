"""Review of images: PSNR, SSIM and Pearson against the truth."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from napari.layers import Image

from microforge.errors import AnnotationError
from microforge.evaluation.compared_images import compare_images
from microforge.gui.layers.convert import image_of
from microforge.gui.layers.marks import is_result
from microforge.gui.layers.results import DETAILS
from microforge.gui.review.layer_comparison import LayerComparison
from microforge.gui.session.state import Session
from microforge.gui.widgets.basics import Note
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


class ImageReview(LayerComparison):
    """Choose the truth and a result, see how alike they are."""

    def __init__(self, session: Session) -> None:
        super().__init__(
            session,
            "The image that is right: recorded with much light, in focus, or stained.",
            "The image to judge: a result of a model, or any other.",
            "Measure how alike both images are.",
            IMAGES_NEEDED,
        )
        self._busy = self._chosen = False
        self.scores.setWordWrap(True)
        self.scores.setToolTip(IMAGES_EXPLAINED)
        self.explained = Note(IMAGES_EXPLAINED)
        self.lay_out(self.explained)
        self.truth.value_changed.connect(self._on_chosen)
        self.result.value_changed.connect(self._on_chosen)
        self.refresh()

    def refresh(self) -> None:
        """Offer the image layers there are, results last."""
        here = [layer for layer in self._session.viewer.layers if isinstance(layer, Image) and not _compares(layer)]
        self._busy = True
        for picker in (self.truth, self.result):
            picker.set_choices([(layer.name, layer) for layer in here])
        self._suggest(here)
        self._busy = False
        self.allow(len(here))

    def _suggest(self, here: Sequence[Image]) -> None:
        """Show the layers likely meant until the user has chosen some: the newest result, and what it is not."""
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
        self.begin(partial(self._job, self.truth.value(), self.result.value()))

    def _job(self, truth: Image, result: Image) -> Callable[[], Iterator[LikenessMeasured]]:
        _check(truth, result)
        # All have one shape; what its axes are is known best of a result.
        like = image_of(result, self._session.axes_of(result))
        layers = (result, *self._originals(truth, result))
        images = {layer.name: replace(like, data=image_of(layer, like.axes).data) for layer in layers}
        return partial(_events, replace(like, data=image_of(truth, like.axes).data), images)

    def _originals(self, truth: Image, result: Image) -> list[Image]:
        """Give the image that a result was made from, to see what was gained."""
        source = self._source(result)
        fits = source is not None and source is not truth and source.data.shape == truth.data.shape
        return [source] if fits else []

    def _source(self, result: Image) -> Image | None:
        known = result.metadata.get(DETAILS, {}).get("source")
        return next((layer for layer in self._session.images() if layer.unique_id == known), None)

    def show_found(self, event: LikenessMeasured) -> None:
        """Show the figures."""
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
