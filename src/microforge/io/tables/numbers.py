"""Numbers as people and programs write them: come here when a decimal sign is taken for a thousands separator.

One number may be read in two ways ("1,234"); a whole column, its neighbours and the sign between columns mostly tell.
"""

import math
import re
from collections.abc import Iterable, Sequence

_SIGNS = ".,"
#: A sign before three digits, once: thousands or decimals.
_EITHER = re.compile(r"[+-]?[1-9]\d{0,2}[.,]\d{3}")
#: Signs between groups that are never decimal signs: blanks and apostrophes.
_GAPS = re.compile("(?<=\\d)[\u00a0\u202f\u2009 '\u2019](?=\\d{3})")


class AmbiguousNumberError(ValueError):
    """A number may be read in two ways, and nothing in the table tells in which; `index` is its place."""

    def __init__(self, index: int) -> None:
        super().__init__(index)
        self.index = index


def decimal_sign(texts: Sequence[str], delimiter: str, neighbours: Iterable[Sequence[str]] = ()) -> str:
    """Tell which sign stands before the decimals of a column.

    Parameters
    ----------
    texts
        Of the column.
    delimiter
        Between columns. Where it is the comma, decimals have points: programs that write decimal commas need another.
    neighbours
        The other columns, looked at only if this one does not tell.

    Raises
    ------
    AmbiguousNumberError
        If numbers of the column may be grouped in thousands, or have three decimals.
    """
    undecided = None
    for index, text in enumerate(texts):
        if sign := _sure_sign(text):
            return sign
        if undecided is None and _EITHER.fullmatch(text):
            undecided = index
    if undecided is None or delimiter == ",":
        return "."
    for column in neighbours:
        if sign := next((sign for text in column if (sign := _sure_sign(text))), ""):
            return sign
    used = next(sign for sign in _SIGNS if sign in texts[undecided])
    mixed = any(text.lstrip("+-").isdecimal() for text in texts)
    # Points beside semicolons: the semicolon says that commas are decimal signs, the point that they are not.
    if mixed or (delimiter == ";" and used == "."):
        raise AmbiguousNumberError(undecided)
    return used


def _sure_sign(text: str) -> str:
    """Give the decimal sign that a text shows; empty where it shows none."""
    counts = [text.count(sign) for sign in _SIGNS]
    if not any(counts) or _EITHER.fullmatch(text):
        return ""
    for sign, grouping in (".,", ",."):
        plain = parsed(text, sign)
        if plain is not None and (sign in text or text.count(grouping) > 1):
            return sign
    return ""


def parsed(text: str, decimal: str) -> float | None:
    """Read a number whose decimals stand behind this sign, in groups of thousands or not; None if it is none."""
    grouping = _SIGNS.replace(decimal, "")
    text = _GAPS.sub("", text)
    if grouping in text:
        if not re.fullmatch(rf"[+-]?\d{{1,3}}({re.escape(grouping)}\d{{3}})+({re.escape(decimal)}\d*)?", text):
            return None
        text = text.replace(grouping, "")
    try:
        value = float(text.replace(decimal, "."))
    except ValueError:
        return None
    return value if math.isfinite(value) else None
