"""Curves as SVG, written by hand: a page for a paper's supplement must show them without any program beside it."""

from collections.abc import Sequence
from html import escape
from math import floor, isfinite, log10

CurvePoint = tuple[float, float]
#: More points than this nobody sees on a curve so wide.
MOST_DRAWN = 400
_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _TOP = 460, 210, 56, 34, 12


def curve(points: Sequence[CurvePoint], title: str, along: str, best: CurvePoint | None = None) -> str:
    """Draw a curve with its axes; empty where there are not two points.

    Parameters
    ----------
    points
        ``(x, y)`` in the order of x; those that are no numbers are left out.
    title
        What is drawn, for the y axis and for readers of the page that are machines.
    along
        What the x axis is.
    best
        A point to mark.
    """
    known = _thinned([point for point in points if isfinite(point[0]) and isfinite(point[1])])
    if len(known) < 2:
        return ""
    xs, ys = (ticks(min(values), max(values)) for values in zip(*known, strict=True))
    drawn = _Area((xs[0], xs[-1]), (ys[0], ys[-1]))
    line = " ".join(f"{drawn.x(x):.1f},{drawn.y(y):.1f}" for x, y in known)
    marks = (
        "" if best is None else f'<circle class="best" cx="{drawn.x(best[0]):.1f}" cy="{drawn.y(best[1]):.1f}" r="4"/>'
    )
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(title)}">'
        f"{''.join(_across(drawn, y) for y in ys)}{''.join(_below(drawn, x) for x in xs)}"
        f'<polyline class="curve" points="{line}"/>{marks}'
        f'<text x="{_WIDTH - 8}" y="{_HEIGHT - 4}" text-anchor="end">{escape(along)}</text></svg>'
    )


def ticks(low: float, high: float, wanted: int = 5) -> list[float]:
    """Give round numbers that begin below or at `low` and end above or at `high`."""
    if high <= low:
        low, high = low - (abs(low) or 1) / 2, low + (abs(low) or 1) / 2
    rough = (high - low) / wanted
    size = 10.0 ** floor(log10(rough))
    step = next(size * by for by in (1, 2, 2.5, 5, 10) if size * by >= rough)
    first, last = floor(low / step), -floor(-high / step)
    return [number * step for number in range(first, last + 1)]


class _Area:
    """Turns values into places of the picture."""

    def __init__(self, xs: CurvePoint, ys: CurvePoint) -> None:
        self._xs, self._ys = xs, ys

    def x(self, value: float) -> float:
        return _LEFT + (value - self._xs[0]) / (self._xs[1] - self._xs[0]) * (_WIDTH - _LEFT - 12)

    def y(self, value: float) -> float:
        return _HEIGHT - _BOTTOM - (value - self._ys[0]) / (self._ys[1] - self._ys[0]) * (_HEIGHT - _BOTTOM - _TOP)


def _thinned(points: Sequence[CurvePoint]) -> Sequence[CurvePoint]:
    every = -(-len(points) // MOST_DRAWN)
    return [*points[::every], *points[-1:]] if every > 1 else points


def _across(drawn: _Area, y: float) -> str:
    at = drawn.y(y)
    return (
        f'<line class="grid" x1="{_LEFT}" y1="{at:.1f}" x2="{_WIDTH - 12}" y2="{at:.1f}"/>'
        f'<text x="{_LEFT - 6}" y="{at + 4:.1f}" text-anchor="end">{y:.4g}</text>'
    )


def _below(drawn: _Area, x: float) -> str:
    return f'<text x="{drawn.x(x):.1f}" y="{_HEIGHT - _BOTTOM + 16}" text-anchor="middle">{x:,.6g}</text>'
