"""The panel *Apply*: model, open images, files on disk, prediction settings."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QLabel, QVBoxLayout, QWidget

from microforge.config import PredictionConfig, is_fitted
from microforge.gui.apply.folder.panel import ApplyFolder, PredictFolder
from microforge.gui.apply.model_picker import ModelPicker, task_of_model
from microforge.gui.apply.open_images import ApplyLayers
from microforge.gui.session.state import Session, Step
from microforge.gui.widgets.basics import Themed, button, collapsible, stacked
from microforge.gui.widgets.look.buttons import accent
from microforge.gui.widgets.look.steps import Steps
from microforge.gui.widgets.settings_form import Form
from microforge.inference.protocols import ImagePredictor, MakePredictor
from microforge.tasks import TaskOptions

_STEPS = (
    ("step-model", "Choose a <b>model</b>: train one, or open the file of one."),
    ("step-files", "Apply it to images that are open, or to whole <b>folders</b>."),
    ("step-table", "Get what it found on your images, and <b>tables</b> of what was measured or counted."),
)


class ApplyPanel(QWidget):  # type: ignore[misc]  # qtpy has no types
    """Choose a model, apply it to layers or files.

    Parameters
    ----------
    make_predictor, predict_folder
        The engine's own by default, imported when first used because they bring torch.
    """

    def __init__(
        self,
        session: Session,
        make_predictor: MakePredictor[ImagePredictor] | None = None,
        predict_folder: PredictFolder | None = None,
    ) -> None:
        super().__init__()
        self._session = session
        self.picker = ModelPicker(session)
        self.settings = PredictionSettings(session)
        self.layers = ApplyLayers(session, self.settings.value, make_predictor)
        self.folder = ApplyFolder(session, self.settings.value, predict_folder)
        self.steps = Steps(*_STEPS)
        self.to_train = accent(button("Train a model", "Go to Train.", lambda: session.go_to(Step.TRAIN), icon="train"))
        layers, files = _title("Open images"), _title("Files on disk")
        self.to_train.setMinimumHeight(34)
        self._with_model = (layers, self.layers, files, self.folder, self.settings)
        column = QVBoxLayout(self)
        for part in (_title("Model"), self.picker, self.steps, self.to_train, *self._with_model):
            column.addWidget(part)
        column.addStretch(1)
        session.model_changed.connect(self._show_parts)
        for part in self._with_model:
            part.hide()
        self._show_parts(session.model_path)
        self.settings.options_changed.connect(self._on_settings)
        self.layers.decoding.options_changed.connect(self._on_decoding)
        self.layers.decoding.model_changed.connect(self._on_model_kept)

    def set_colours(self, background: str, text: str) -> None:
        """Follow napari's theme."""
        for part in self.layers.parts:
            if isinstance(part, Themed):
                part.set_colours(background, text)

    def _show_parts(self, model: Path | None) -> None:
        """Show what can be done with a model; without one, how to get there, beside results there may be."""
        for part in (self.steps, self.to_train):
            part.setVisible(model is None)
        if model is not None:
            for part in self._with_model:
                part.show()

    def _is_shown(self) -> bool:
        """Whether the results on screen are of the model that is chosen."""
        return self._session.model_path == self.layers.decoding.model

    def _on_settings(self) -> None:
        if self._is_shown():
            self.layers.decoding.set_options(self.settings.options)

    def _on_decoding(self, changed: Mapping[str, Any]) -> None:
        if self._is_shown():
            self.settings.change(changed)

    def _on_model_kept(self, model: Path) -> None:
        if self._is_shown():
            self._session.set_model(model)


def _title(text: str) -> QLabel:
    return QLabel(f"<b>{text}</b>")


class PredictionSettings(QWidget):  # type: ignore[misc]  # qtpy has no types
    """How models are applied, and the settings of the chosen model's task that can be changed after training."""

    options_changed = Signal()

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._form = Form(PredictionConfig(device=session.settings.device), leave_out={"task_options", "regions"})
        self._task: Form[Any] | None = None
        self._own: Mapping[str, Any] = {}
        content = QWidget()
        self._content = stacked(content, self._form.native)
        self.advanced = collapsible("Advanced", "Device, tiles, how carefully. Rarely needed.", content)
        stacked(self, self.advanced)
        session.model_changed.connect(self._on_model_changed)
        self._on_model_changed(session.model_path)

    def value(self) -> PredictionConfig:
        """Give the settings; of the task only what differs from the model's own."""
        shown = self._task.value().model_dump() if self._task else {}
        changed = {name: value for name, value in shown.items() if value != self._own[name]}
        return self._form.value().model_copy(update={"task_options": changed})

    @property
    def options(self) -> TaskOptions:
        """The options of the task, as they stand here."""
        return self._task.value() if self._task else TaskOptions()

    def change(self, options: Mapping[str, Any]) -> None:
        """Take options of the task that were set elsewhere, by name."""
        if self._task is not None:
            self._task.set_value(self._task.value().model_copy(update=dict(options)))

    def _on_model_changed(self, path: Path | None) -> None:
        if self._task is not None:
            self._content.removeWidget(self._task.native)
            self._task.native.deleteLater()
            self._task = None
        options = _options_of(path)
        if options is not None:
            self._own = options.model_dump()
            self._task = Form(options, leave_out=_not_numbers(type(options)))
            self._task.value_changed.connect(self._on_changed)
            self._content.addWidget(self._task.native)

    def _on_changed(self, _value: Any) -> None:
        self.options_changed.emit()


def _options_of(path: Path | None) -> TaskOptions | None:
    """Give the options of a model's task; None where there is no model that can be read (the picker says why)."""
    task = task_of_model(path)
    return None if task is None else task.options


def _not_numbers(options: type[TaskOptions]) -> set[str]:
    """Name the options that are no thresholds: what a label means is decided in training, sizes of the network too."""
    fields = options.model_fields.items()
    return {name for name, field in fields if field.annotation not in (int, float) or is_fitted(field)}
