"""Choose a model file, and show its card."""

from pathlib import Path

from qtpy.QtCore import QSignalBlocker, Qt
from qtpy.QtGui import QShowEvent
from qtpy.QtWidgets import QComboBox, QFileDialog, QLabel, QWidget

from microforge.errors import MicroforgeError
from microforge.gui.apply.model_list import ABOUT_ROLE, PICTURE_ROLE, ModelRows
from microforge.gui.apply.recent_models import RecentModels
from microforge.gui.session.plugin_settings import model_title
from microforge.gui.session.state import Session
from microforge.gui.widgets.basics import beside, button, plain_tip, stacked, steady
from microforge.io.model_file import ModelCard, read_card
from microforge.tasks import Task, get_task
from microforge.training.quality.doubt import doubt_of

NO_MODEL = "No model yet: train one, or open a model file."
CHOOSE_MODEL = "Choose a model of before above, train one, or open a model file."
MODEL_FILTER = "Microforge models (*.safetensors)"


class ModelPicker(QWidget):  # type: ignore[misc]  # qtpy has no types
    """Choose among the models of this session and of earlier runs, or open a file; sets `session.model_path`."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self.models = steady(QComboBox())
        self.models.setToolTip("The model that is applied. Trainings put their own here, the newest first.")
        self.models.setPlaceholderText("Models of before")
        self.models.setItemDelegate(ModelRows(self.models))
        self.recent = RecentModels(session)
        self._used: list[Path] = []
        self.models.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.models.setMinimumContentsLength(10)
        self.browse = button("Open …", "Use a model file (.safetensors) from disk.", self._on_browse)
        self.card = QLabel(NO_MODEL)
        self.card.setTextFormat(Qt.TextFormat.PlainText)
        self.card.setWordWrap(True)
        stacked(self, beside(self.models, self.browse), self.card)
        self.models.activated.connect(lambda row: session.set_model(self.models.itemData(row)))
        session.model_changed.connect(self._on_model_changed)
        self.recent.changed.connect(self._fill)
        self._on_model_changed(session.model_path)

    def showEvent(self, event: QShowEvent) -> None:
        """Look for models that other trainings have left."""
        super().showEvent(event)
        self.recent.look()

    def _on_browse(self) -> None:
        start = str(self._session.model_path.parent) if self._session.model_path else ""
        path, _ = QFileDialog.getOpenFileName(self, "Open a model", start, MODEL_FILTER)
        if path:
            self._session.set_model(Path(path))

    def _on_model_changed(self, path: Path | None) -> None:
        listed = {one.path for one in self.recent.found}
        if path is not None and path not in self._used and path not in listed:
            self._used.insert(0, path)
        self._fill()
        if path is not None:
            self._show_card(path)

    def _fill(self) -> None:
        """Offer the models used in this session, then those of earlier runs; what is chosen stays chosen."""
        found = {one.path: one for one in self.recent.found}
        # Of a training that was discarded, nothing is left to choose.
        self._used = [path for path in self._used if path == self._session.model_path or path.exists()]
        signals = QSignalBlocker(self.models)
        self.models.clear()
        for path in dict.fromkeys((*self._used, *found)):
            self.models.addItem(model_title(path), path)
            row, known = self.models.count() - 1, found.get(path)
            self.models.setItemData(row, plain_tip(str(path)), Qt.ItemDataRole.ToolTipRole)
            if known is not None:
                self.models.setItemData(row, known.in_words, ABOUT_ROLE)
                self.models.setItemData(row, known.thumbnail, PICTURE_ROLE)
        chosen = [row for row in range(self.models.count()) if self.models.itemData(row) == self._session.model_path]
        self.models.setCurrentIndex(chosen[0] if chosen else -1)
        signals.unblock()
        self.models.view().setMinimumWidth(max(0, self.models.view().sizeHintForColumn(0)))
        self.models.setEnabled(self.models.count() > 0)
        if self._session.model_path is None:
            self.card.setText(CHOOSE_MODEL if self.models.count() else NO_MODEL)
            self.card.setToolTip("")

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
