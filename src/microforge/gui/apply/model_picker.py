"""Choose a model file, and show its card."""

from pathlib import Path

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QComboBox, QFileDialog, QLabel, QWidget

from microforge.errors import MicroforgeError
from microforge.gui.session.plugin_settings import model_title
from microforge.gui.session.state import Session
from microforge.gui.widgets.basics import beside, button, plain_tip, stacked, steady
from microforge.io.model_file import ModelCard, read_card
from microforge.tasks import Task, get_task
from microforge.training.quality.doubt import doubt_of

NO_MODEL = "No model yet: train one, or open a model file."
MODEL_FILTER = "Microforge models (*.safetensors)"


class ModelPicker(QWidget):  # type: ignore[misc]  # qtpy has no types
    """Choose among the models of this session, or open a file; the choice is `session.model_path`."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self.models = steady(QComboBox())
        self.models.setToolTip("The model that is applied. A training in this window puts its own here.")
        self.models.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.models.setMinimumContentsLength(10)
        self.browse = button("Open …", "Use a model file (.safetensors) from disk.", self._on_browse)
        self.card = QLabel(NO_MODEL)
        self.card.setTextFormat(Qt.TextFormat.PlainText)
        self.card.setWordWrap(True)
        stacked(self, beside(self.models, self.browse), self.card)
        self.models.activated.connect(lambda row: session.set_model(self.models.itemData(row)))
        session.model_changed.connect(self._on_model_changed)
        self._on_model_changed(session.model_path)

    def _on_browse(self) -> None:
        start = str(self._session.model_path.parent) if self._session.model_path else ""
        path, _ = QFileDialog.getOpenFileName(self, "Open a model", start, MODEL_FILTER)
        if path:
            self._session.set_model(Path(path))

    def _on_model_changed(self, path: Path | None) -> None:
        self.models.setEnabled(path is not None)
        if path is None:
            self.models.setCurrentIndex(-1)
            self.card.setText(NO_MODEL)
            return
        row = next((row for row in range(self.models.count()) if self.models.itemData(row) == path), -1)
        if row < 0:
            self.models.insertItem(0, model_title(path), path)
            row = 0
        self.models.setCurrentIndex(row)
        self.models.setItemData(row, plain_tip(str(path)), Qt.ItemDataRole.ToolTipRole)
        self._show_card(path)

    def _show_card(self, path: Path) -> None:
        try:
            card = read_card(path)
        except MicroforgeError as error:
            self.card.setText(f"⚠ {error}")
            return
        self.card.setText(summary(card))
        self.card.setToolTip(plain_tip(details(card, path)))


def task_of_model(path: Path | None) -> Task | None:
    """Give the task of a model file; None where there is none that can be read (the picker says why)."""
    if path is None:
        return None
    try:
        card = read_card(path)
        return get_task(card.task).from_options(card.task_options)
    except MicroforgeError:
        return None


def summary(card: ModelCard) -> str:
    """Say in a few lines what a model does, for which images, and how well."""
    title, images = _title(card), _images(card)
    # "Classify images in 2D images" says the same twice.
    what = f"{title.removesuffix('images')}{images}" if title.endswith(" images") else f"{title} in {images}"
    return "\n".join([" · ".join(part for part in (what, card.created[:10]) if part), _quality(card)])


def details(card: ModelCard, path: Path) -> str:
    """Say all that helps to recognise a model, for a tool tip."""
    trained = card.training
    lines = [
        str(path),
        f"Trained on {trained.images} images for {trained.seconds / 60:.1f} min ({trained.steps:,} steps).",
        f"Pixel size: {' × '.join(f'{size:.4g}' for size in card.pixel_size)} µm." if card.pixel_size else "",
        "; ".join(f"{name} {value:.3f}" for name, value in card.metrics.items()),
        doubt.text if (doubt := doubt_of(card)) else "",
    ]
    return "\n".join(line for line in lines if line)


def _quality(card: ModelCard) -> str:
    """Say in words how good a model is: what speaks against it, or that nothing is known, included."""
    doubt = doubt_of(card)
    if doubt is not None:
        return f"⚠ {doubt.brief[0].upper()}{doubt.brief[1:]}. {doubt.remedy}".strip()
    try:
        quality = get_task(card.task).in_words(card.metrics)
    except MicroforgeError:
        quality = None
    if quality is not None:
        return quality.text
    figures = ", ".join(f"{name} {value:.2f}" for name, value in list(card.metrics.items())[:2])
    return figures or "Quality was not measured."


def _title(card: ModelCard) -> str:
    try:
        return get_task(card.task).title
    except MicroforgeError:
        return card.task


def _images(card: ModelCard) -> str:
    kind = "3D stacks" if card.network.dims == 3 else "2D images"
    channels = card.network.in_channels
    names = f" ({', '.join(card.channel_names)})" if card.channel_names else ""
    return f"{kind} with {channels} channel{'s' * (channels != 1)}{names}"
