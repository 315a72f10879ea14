"""Forms made from pydantic settings with magicgui: one widget per field."""

import math
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from types import UnionType
from typing import Any, Generic, Literal, TypeVar, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from magicgui.widgets import CheckBox, ComboBox, FileEdit, FloatSpinBox, LineEdit
from psygnal import Signal
from pydantic import ValidationError
from pydantic.fields import FieldInfo
from qtpy.QtWidgets import QLabel, QWidget

from microforge.config import Settings, field_hints
from microforge.device import device_choices
from microforge.gui.widgets.basics import Note, add_row, rows, steady

_S = TypeVar("_S", bound=Settings)

_LARGEST = 1_000_000


class Form(Generic[_S]):
    """Edit a settings object.

    Fields that may be None have a lowest position with a word instead of a number. Fields of a kind that has no
    widget keep their value.

    Parameters
    ----------
    value
        What the form shows first; its class decides the fields.
    leave_out
        Names of fields that are edited elsewhere.
    """

    value_changed = Signal(object)

    def __init__(self, value: _S, leave_out: Collection[str] = ()) -> None:
        self._value = value
        self._busy = False
        self.fields = dict(_fields(type(value), leave_out))
        self.native = QWidget()
        layout = rows()
        self.native.setLayout(layout)
        for field in self.fields.values():
            if isinstance(field, GroupField):
                layout.addRow(QLabel(field.title))
                layout.addRow(field.native)
            else:
                add_row(layout, field.title, field.native)
            if isinstance(field, ChoiceField):
                layout.addRow(field.note)
        self.set_value(value)
        for field in self.fields.values():
            field.changed.connect(self._on_changed)

    def value(self) -> _S:
        """Give the settings as they stand in the form."""
        return self._value

    def set_value(self, value: _S) -> None:
        """Show other settings of the same kind."""
        self._value, self._busy = value, True
        try:
            for name, field in self.fields.items():
                field.set_value(getattr(value, name))
        finally:
            self._busy = False

    def _on_changed(self) -> None:
        if self._busy:
            return
        values = {name: field.value() for name, field in self.fields.items()}
        try:
            self._value = type(self._value).model_validate(dict(self._value) | values)
        except ValidationError:
            # What the settings refuse cannot stand in the form.
            self.set_value(self._value)
            return
        self.value_changed.emit(self._value)


class Field:
    """One magicgui widget and how it shows a value."""

    changed = Signal()

    def __init__(self, widget: Any, empty: float | None = None, kind: Callable[[Any], Any] | None = None) -> None:
        self.widget, self.title = widget, widget.label
        self.native = steady(widget.native)
        self.native.setMinimumWidth(60)
        self._empty, self._kind = empty, kind
        widget.changed.connect(self._emit)

    def value(self) -> Any:
        """Give the value; None where the widget stands at its word for empty."""
        shown = self.widget.value
        if self._empty is not None and shown == self._empty:
            return None
        return self._kind(shown) if self._kind else shown

    def set_value(self, value: Any) -> None:
        """Show a value."""
        self.widget.value = self._empty if value is None and self._empty is not None else value

    def _emit(self) -> None:
        self.changed.emit()


class ChoiceField(Field):
    """One of some words; what the word means stands below, where the field says it of each."""

    def __init__(self, widget: Any, meanings: Mapping[str, str], tip: str) -> None:
        super().__init__(widget)
        self.note = Note(tip=tip)
        self._meanings = meanings

    def set_value(self, value: Any) -> None:
        """Show a value."""
        super().set_value(value)
        self._explain()

    def _emit(self) -> None:
        self._explain()
        super()._emit()

    def _explain(self) -> None:
        meaning = self._meanings.get(str(self.widget.value), "")
        self.note.say(meaning and f"{meaning[0].upper()}{meaning[1:]}.")


class DeviceField(ChoiceField):
    """A device of this machine, or one that was chosen elsewhere."""

    def set_value(self, value: str) -> None:
        """Show a device."""
        if value not in self.widget.choices:
            self.widget.choices = (*self.widget.choices, value)
        super().set_value(value)


class FileField(Field):
    """A path that may be empty."""

    def value(self) -> Path | None:
        """Give the path, None for an empty line."""
        text = str(self.widget.line_edit.value)
        return Path(text) if text.strip() not in ("", ".") else None

    def set_value(self, value: Path | None) -> None:
        """Show a path."""
        self.widget.line_edit.value = "" if value is None else str(value)


class GroupField:
    """Settings within settings, shown as a form of their own."""

    changed = Signal()

    def __init__(self, form: "Form[Any]", title: str, tip: str) -> None:
        self.form, self.title, self.native = form, title, form.native
        self.native.layout().setContentsMargins(12, 0, 0, 0)
        self.native.setToolTip(tip)
        form.value_changed.connect(lambda _: self.changed.emit())

    def value(self) -> Any:
        """Give the inner settings."""
        return self.form.value()

    def set_value(self, value: Any) -> None:
        """Show inner settings."""
        self.form.set_value(value)


def _fields(model: type[Settings], leave_out: Collection[str]) -> Iterator[tuple[str, Field | GroupField]]:
    for name, info in model.model_fields.items():
        field = None if name in leave_out else _field(name, info)
        if field is not None:
            yield name, field


def _field(name: str, info: FieldInfo) -> Field | GroupField | None:
    kind, optional = _kind(info.annotation)
    common = {"name": name, "label": info.title or name.replace("_", " "), "tooltip": info.description or ""}
    if kind is bool:
        check = CheckBox(**common)
        check.native.setText("")
        return Field(check)
    if kind in (int, float):
        return _number(kind, optional, info, common)
    if get_origin(kind) is Literal:
        box = ComboBox(choices=get_args(kind), **common)
        return ChoiceField(box, field_hints(info).get("choices", {}), common["tooltip"])
    if field_hints(info).get("device"):
        return DeviceField(ComboBox(choices=device_choices(), **common), {}, common["tooltip"])
    if kind is Path:
        return FileField(FileEdit(mode="r", **common))
    if kind is str:
        return Field(LineEdit(**common))
    # What need not be there has no form: nothing could say that it is not.
    if isinstance(kind, type) and issubclass(kind, Settings) and not optional:
        return GroupField(Form(kind()), common["label"], common["tooltip"])
    return None


def _number(kind: type, optional: bool, info: FieldInfo, common: dict[str, str]) -> Field:
    low, high = _limits(kind, info)
    decimals = 0 if kind is int else _decimals(optional, high)
    step = 10.0**-decimals
    if low < high and _excludes(info, Gt):
        low += step
    if low < high and _excludes(info, Lt):
        high -= step
    empty = low - step if optional else None
    # Whole numbers too: superqt's box for them, which magicgui takes, cannot show a word.
    widget = FloatSpinBox(min=low if empty is None else empty, max=high, **common)
    spin = widget.native
    spin.setDecimals(decimals)
    spin.setSingleStep(0.05 if decimals == 2 else step)
    if empty is not None:
        spin.setSpecialValueText(field_hints(info).get("empty", "auto"))
    spin.setKeyboardTracking(False)
    return Field(widget, None if empty is None else spin.minimum(), kind)


def _kind(annotation: Any) -> tuple[Any, bool]:
    """Give the kind of a value without None, and whether None is allowed."""
    if get_origin(annotation) in (Union, UnionType):
        kinds = [kind for kind in get_args(annotation) if kind is not type(None)]
        return (kinds[0] if len(kinds) == 1 else annotation), len(kinds) < len(get_args(annotation))
    return annotation, False


def _limits(kind: type, info: FieldInfo) -> tuple[float, float]:
    low, high = (0.0 if kind is float else 0), float(_LARGEST)
    for rule in info.metadata:
        if isinstance(rule, Ge | Gt):
            low = float(rule.ge if isinstance(rule, Ge) else rule.gt)  # type: ignore[arg-type]
        if isinstance(rule, Le | Lt):
            high = float(rule.le if isinstance(rule, Le) else rule.lt)  # type: ignore[arg-type]
    return low, high


def _excludes(info: FieldInfo, end: type) -> bool:
    """Whether a limit itself is refused: `Gt` for the lowest, `Lt` for the highest."""
    return any(isinstance(rule, end) for rule in info.metadata)


def _decimals(optional: bool, high: float) -> int:
    """Give as many decimals as the range of a number deserves: rates five, factors two, seconds none."""
    if optional and high <= 1:
        return 5
    return 2 if math.isfinite(high) and high < 100 else 0
