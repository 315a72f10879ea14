"""What is lost or ended when the window is closed now, in words, and telling napari, which asks before it closes."""

from collections.abc import Collection, Iterator
from typing import Any
from uuid import UUID

import numpy as np
from napari.layers import Labels, Layer, Points, Shapes

from microforge.gui.layers.layer_axes import finest
from microforge.gui.session.state import Session

_PROVIDER = "Microforge"
#: So many layers are named.
_NAMED = 4


def at_stake(session: Session, not_kept: Collection[Layer] | None = None) -> list[str]:
    """Say what is lost, or ended, when the window is closed: a line each.

    Parameters
    ----------
    not_kept
        The layers that could not be written to disk; None: nothing is written.
    """
    lines = []
    if session.training.running:
        lines.append("a training is under way: it is stopped, and its model is kept")
    if session.applying.running:
        lines.append("a model is being applied: it is stopped, and what is finished is kept")
    unsaved = [layer.name for layer in _unsaved(session) if not_kept is None or layer in not_kept]
    if unsaved:
        more = f" and {len(unsaved) - _NAMED} more" if len(unsaved) > _NAMED else ""
        lines.append(f"not saved, and lost: {', '.join(unsaved[:_NAMED])}{more}")
    return lines


def tell_napari(window: Any, lines: list[str]) -> list[UUID]:
    """Have napari name these lines when it asks whether to close; give what `take_back` needs.

    Parameters
    ----------
    window
        napari's main window, a Qt widget; nothing happens where its version has no such list (before 0.9).
    """
    tasks = _tasks_of(window)
    if tasks is None:
        return []
    from napari.utils.task_status import Status

    return [tasks.register_task_status(_PROVIDER, Status.BUSY, line) for line in lines]


def take_back(window: Any, told: list[UUID]) -> None:
    """Have napari forget what it was told."""
    tasks = _tasks_of(window)
    if tasks is None or not told:
        return
    from napari.utils.task_status import Status

    for number in told:
        tasks.update_task_status(number, Status.COMPLETED)


def _tasks_of(window: Any) -> Any:
    # There is no public way to it from a widget; workers of napari's own are listed alike.
    return getattr(getattr(window, "_window", None), "_task_status_manager", None)


def _unsaved(session: Session) -> Iterator[Layer]:
    """Give the layers on which something was drawn that no file holds."""
    here, at_rest = session.viewer.layers, session.image_list.is_at_rest
    for item in session.annotated:
        for layer in item.drawn:
            if (layer in here or at_rest(layer)) and layer.source.path is None and is_drawn_on(layer):
                yield layer


def is_drawn_on(layer: Layer) -> bool:
    """Whether a person has drawn anything on a layer; slow for large ones."""
    if isinstance(layer, Labels):
        return bool(np.any(finest(layer)))
    return isinstance(layer, Points | Shapes) and len(layer.data) > 0
