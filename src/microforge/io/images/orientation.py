"""Pictures that are stored turned: come here when labels lie a quarter turn beside their image."""

from collections.abc import Callable

import numpy as np

from microforge.types import Array

UPRIGHT = 1
#: EXIF's numbers: what must be done to a stored picture so that it stands upright, and what to call that.
_TURNS: dict[int, tuple[Callable[[Array], Array], str]] = {
    2: (lambda data: data[:, ::-1], "mirrored"),
    3: (lambda data: data[::-1, ::-1], "turned by 180 degrees"),
    4: (lambda data: data[::-1], "upside down"),
    5: (lambda data: data.swapaxes(0, 1), "turned and mirrored"),
    6: (lambda data: np.rot90(data, -1), "turned by 90 degrees"),
    7: (lambda data: data[::-1, ::-1].swapaxes(0, 1), "turned and mirrored"),
    8: (lambda data: np.rot90(data), "turned by 90 degrees"),
}


def upright(data: Array, orientation: int) -> tuple[Array, tuple[str, ...]]:
    """Turn a picture ``YX(S)`` as its camera says that it stands, and say so."""
    if orientation not in _TURNS:
        return data, ()
    turn, how = _TURNS[orientation]
    note = (
        f"The picture is stored {how} and says so (orientation {orientation}): it is read upright, as viewers of "
        "pictures show it. napari and Fiji show it as it is stored: what was drawn there does not fit."
    )
    return np.ascontiguousarray(turn(data)), (note,)


def as_stored(orientation: object) -> tuple[str, ...]:
    """Say that an image was not turned, where its file says that it stands otherwise; nonsense says nothing."""
    if not isinstance(orientation, int) or orientation not in _TURNS:
        return ()
    return (
        f"The file says that it is stored {_TURNS[orientation][1]} (orientation {orientation}): it is read as it is "
        "stored, as Fiji and napari do. What was drawn on the upright picture does not fit.",
    )
