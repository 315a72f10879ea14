"""What a terminal says of tables of a few words."""

from collections.abc import Sequence


def confusion_text(classes: Sequence[str], table: Sequence[Sequence[int]]) -> str:
    """Give the table of true classes (rows) and those found (columns)."""
    corner = "true \\ found"
    first = max(len(name) for name in (corner, *classes))
    widths = [max(len(name), 5) for name in classes]
    lines = [" ".join([f"{corner:>{first}}", *(f"{name:>{w}}" for name, w in zip(classes, widths, strict=True))])]
    for name, row in zip(classes, table, strict=True):
        lines.append(" ".join([f"{name:>{first}}", *(f"{n:>{w}}" for n, w in zip(row, widths, strict=True))]))
    return "\n".join(lines)
