"""Axis letters (TZCYXS): what they mean, which reading of a shape is likely; nothing here moves data."""

from collections.abc import Sequence

from microforge.errors import AxesError

AXES = "TCZYXS"
#: More samples than this along an axis is a stack or a time series rather than channels.
_MANY_CHANNELS = 4


def check_axes(axes: str, shape: Sequence[int]) -> str:
    """Give the letters in capitals if they can describe an array of this shape.

    Raises
    ------
    AxesError
        If a letter is unknown or used twice, Y or X is missing, or their number is not that of the dimensions.
    """
    letters = axes.strip().upper()
    problem = _axes_problem(letters, shape)
    if problem:
        raise AxesError(
            problem,
            remedy="Give one letter per dimension: T time, C channel, Z plane, Y row, X column, S red/green/blue; "
            f"for this shape perhaps {_example(shape)}.",
        )
    return letters


def likely_axes(shape: Sequence[int]) -> str:
    """Give the likeliest letters for a shape of which nothing else is known; a person should confirm them.

    Raises
    ------
    AxesError
        If there are fewer than two or more than five dimensions.
    """
    readings = {2: _plane, 3: _three, 4: _four, 5: _five}
    if len(shape) not in readings:
        raise AxesError(f"An array of shape {size_text(shape)} is no image: images have two to five dimensions.")
    return readings[len(shape)](tuple(shape))


def spatial_axes(axes: str) -> str:
    """Give ``ZYX`` for stacks, ``YX`` for planes."""
    return "ZYX" if "Z" in axes else "YX"


def size_text(shape: Sequence[int]) -> str:
    """Write a shape for people: ``24x128x128``."""
    return "x".join(str(n) for n in shape)


def _axes_problem(axes: str, shape: Sequence[int]) -> str:
    text = f"The axes '{axes}' cannot describe an array of shape {size_text(shape)}"
    unknown = sorted(set(axes) - set(AXES))
    if unknown:
        return f"{text}: '{unknown[0]}' is not an axis."
    if len(set(axes)) < len(axes):
        return f"{text}: a letter is used twice."
    if len(axes) != len(shape):
        return f"{text}: {len(axes)} letters for {len(shape)} dimensions."
    if not {"Y", "X"} <= set(axes):
        return f"{text}: both Y and X are needed."
    if "S" in axes and shape[axes.index("S")] > _MANY_CHANNELS:
        return f"{text}: S (red, green, blue) has {shape[axes.index('S')]} samples; use C for channels."
    return ""


def _example(shape: Sequence[int]) -> str:
    return likely_axes(shape) if 2 <= len(shape) <= 5 else "ZYX"


def _plane(shape: tuple[int, ...]) -> str:
    return "YX"


def _three(shape: tuple[int, ...]) -> str:
    if shape[-1] in (3, 4) and min(shape[:2]) > _MANY_CHANNELS:
        return "YXS"
    if shape[-1] <= 2 and min(shape[:2]) > _MANY_CHANNELS:
        return "YXC"
    return "CYX" if shape[0] <= _MANY_CHANNELS else "ZYX"


def _four(shape: tuple[int, ...]) -> str:
    if shape[-1] in (3, 4) and min(shape[1:3]) > _MANY_CHANNELS:
        return "ZYXS"
    if shape[1] <= _MANY_CHANNELS:
        return "ZCYX"
    return "CZYX" if shape[0] <= _MANY_CHANNELS else "TZYX"


def _five(shape: tuple[int, ...]) -> str:
    if shape[-1] in (3, 4) and min(shape[2:4]) > _MANY_CHANNELS:
        return "TZYXS"
    return "TCZYX" if shape[1] <= _MANY_CHANNELS < shape[2] else "TZCYX"
