"""Sliders with a field for the exact number, one for each option that decides how a network's answer is read."""

from math import log
from typing import Any

from qtpy.QtCore import QSignalBlocker, Qt, Signal
from qtpy.QtWidgets import QGridLayout, QLabel, QSlider, QWidget

from microforge.config import is_decoding
from microforge.gui.widgets.basics import steady
from microforge.gui.widgets.settings_form import Field, Form
from microforge.tasks import TaskOptions

_STEPS = 500
#: Pixels of the fields, so that the sliders have the rest.
_FIELD_WIDTH = 84
#: What the slider of an option without an upper limit reaches to: at least, and in multiples of its first value.
_REACH, _TIMES, _UNLIMITED = 1000.0, 10.0, 1e5


class OptionSliders(QWidget):  # type: ignore[misc]  # qtpy has no types
    """A line of title, slider and number for each option; `changed` tells of what a person changed."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.lines: dict[str, OptionSlider] = {}
        self._form: Form[TaskOptions] = Form(TaskOptions())
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setColumnStretch(1, 1)

    def value(self) -> TaskOptions:
        """Give the options as they stand here."""
        return self._form.value()

    def set_options(self, options: TaskOptions) -> None:
        """Show options; their kind decides the lines."""
        if type(options) is not type(self.value()):
            self._make_lines(options)
        self._form.set_value(options)
        for line in self.lines.values():
            line.follow()

    def _make_lines(self, options: TaskOptions) -> None:
        while self._grid.count():
            self._grid.takeAt(0).widget().deleteLater()
        fields = type(options).model_fields
        self._form = Form(options, leave_out={name for name, info in fields.items() if not is_decoding(info)})
        self._form.value_changed.connect(self._on_changed)
        made = {name: field for name, field in self._form.fields.items() if isinstance(field, Field)}
        self.lines = {name: OptionSlider(field) for name, field in made.items()}
        # What is left out for its size is asked for most.
        for row, (name, line) in enumerate(reversed(self.lines.items())):
            title = QLabel(made[name].title)
            title.setToolTip(made[name].native.toolTip())
            made[name].native.setMaximumWidth(_FIELD_WIDTH)
            for column, widget in enumerate((title, line.slider, made[name].native)):
                self._grid.addWidget(widget, row, column)

    def _on_changed(self, _value: Any) -> None:
        for line in self.lines.values():
            line.follow()
        self.changed.emit()


class OptionSlider:
    """The slider of a field of a form: even steps between two limits, even factors where there is no upper one."""

    def __init__(self, field: Field) -> None:
        self._field = field
        self._low, high = float(field.widget.min), float(field.widget.max)
        self._factors = high > _UNLIMITED
        self._high = max(_REACH, _TIMES * float(field.value())) if self._factors else high
        self.slider = steady(QSlider(Qt.Orientation.Horizontal))
        self.slider.setRange(0, _STEPS)
        self.slider.setToolTip(field.native.toolTip())
        self.slider.setMinimumWidth(60)
        self.slider.valueChanged.connect(self._on_moved)

    def follow(self) -> None:
        """Stand where the field's value is."""
        value = min(max(float(self._field.value()), self._low), self._high)
        if self._at(self.slider.value()) == value:
            return
        blocker = QSignalBlocker(self.slider)
        self.slider.setValue(round(_STEPS * self._part(value)))
        blocker.unblock()

    def _part(self, value: float) -> float:
        """Give how far along the slider a value is, 0 to 1."""
        if self._factors:
            return log(value / self._low) / log(self._high / self._low)
        return (value - self._low) / (self._high - self._low)

    def _at(self, position: int) -> float:
        part = position / _STEPS
        if self._factors:
            return float(round(self._low * (self._high / self._low) ** part))
        return round(self._low + part * (self._high - self._low), 2)

    def _on_moved(self, position: int) -> None:
        self._field.widget.value = self._at(position)
