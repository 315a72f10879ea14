"""Where nuclei lie, what outline they have and how they glow, before any microscope blurs them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from microforge.types import Floats


@dataclass(frozen=True, eq=False)
class Nucleus:
    """A bent, bumpy ellipsoid; lengths in pixels of the plane."""

    centre: Floats
    radii: Floats
    turn: Floats
    bend: float
    bumps: tuple[tuple[Floats, float, float], ...]
    brightness: float

    @property
    def reach(self) -> float:
        """Radius of a ball that holds it."""
        return float(self.radii.max()) * 1.5 + 2


def place_nuclei(rng: np.random.Generator, size: Floats, n: int, diameter: float, clustering: float) -> list[Nucleus]:
    """Put nuclei at random, some beside others; none nearer than it can be told apart."""
    nuclei: list[Nucleus] = []
    places = np.full((n, len(size)), np.inf, np.float32)
    for _ in range(n * 30):
        if len(nuclei) == n:
            break
        new = _new_nucleus(rng, size, diameter)
        if nuclei and rng.random() < clustering:
            new = _beside(rng, new, nuclei[rng.integers(len(nuclei))])
        if np.all((new.centre >= 0) & (new.centre < size)) and not _is_crowded(new, nuclei, places, diameter):
            places[len(nuclei)] = new.centre
            nuclei.append(new)
    return nuclei


def _is_crowded(new: Nucleus, nuclei: Sequence[Nucleus], places: Floats, diameter: float) -> bool:
    """Say whether another is too near; only those in reach are looked at closely."""
    in_reach = np.flatnonzero(np.sum((places - new.centre) ** 2, 1) < (3 * diameter) ** 2)
    return any(_too_near(new, nuclei[i]) for i in in_reach.tolist())


def _new_nucleus(rng: np.random.Generator, size: Floats, diameter: float) -> Nucleus:
    dims = len(size)
    dividing = rng.random() < 0.04
    radius = diameter / 2 * rng.lognormal(0, 0.16) * (0.7 if dividing else 1)
    stretch = rng.uniform(1.0, 1.65) * (1.3 if dividing else 1)
    radii = np.full(dims, radius / np.sqrt(stretch), np.float32)
    radii[-1] = radius * np.sqrt(stretch)
    bumps = tuple(
        (_direction(rng, dims) * k, float(rng.uniform(0, 2 * np.pi)), float(rng.normal(0, 0.075 / k**0.5)))
        for k in (2, 3, 4, 6)
    )
    return Nucleus(
        centre=(rng.random(dims) * size).astype(np.float32),
        radii=radii,
        turn=_rotation(rng, dims),
        bend=float(rng.normal(0, 0.12)),
        bumps=bumps,
        brightness=float(rng.lognormal(0, 0.32) * (2.0 if dividing else 1)),
    )


def _beside(rng: np.random.Generator, new: Nucleus, old: Nucleus) -> Nucleus:
    way = _direction(rng, len(new.centre))
    distance = rng.uniform(0.91, 1.02) * (_radius_along(new, way) + _radius_along(old, way))
    return replace(new, centre=old.centre + way * np.float32(distance))


def _too_near(a: Nucleus, b: Nucleus) -> bool:
    between = a.centre - b.centre
    distance = float(np.linalg.norm(between)) + 1e-6
    way = (between / distance).astype(np.float32)
    return distance < 0.9 * (_radius_along(a, way) + _radius_along(b, way))


def _radius_along(nucleus: Nucleus, way: Floats) -> float:
    return float(1 / np.linalg.norm(nucleus.turn @ way / nucleus.radii))


def _direction(rng: np.random.Generator, dims: int) -> Floats:
    vector = rng.normal(size=dims)
    return (vector / np.linalg.norm(vector)).astype(np.float32)


def _rotation(rng: np.random.Generator, dims: int) -> Floats:
    """Give a random turn; nuclei on a slide lie flat, so stacks are turned in the plane only."""
    angle = rng.uniform(0, np.pi)
    turn = np.eye(dims, dtype=np.float32)
    turn[-2:, -2:] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    return turn


def draw_nuclei(
    rng: np.random.Generator, nuclei: Sequence[Nucleus], shape: tuple[int, ...], steps: Floats
) -> tuple[npt.NDArray[np.int32], Floats]:
    """Give labels, and the light of each pixel; where two would overlap, the one whose middle is nearer wins."""
    labels, light = np.zeros(shape, np.int32), np.zeros(shape, np.float32)
    nearest = np.ones(shape, np.float32)
    for number, nucleus in enumerate(nuclei, start=1):
        window = _window(nucleus, shape, steps)
        depth, offset = _depth_inside(nucleus, window, steps)
        mine = depth < nearest[window]
        nearest[window][mine] = depth[mine]
        labels[window][mine] = number
        # Light of neighbours adds up at the seam, as in a real picture.
        light[window] += _glow(rng, nucleus, depth, offset)
    return _whole(labels), light


def _window(nucleus: Nucleus, shape: tuple[int, ...], steps: Floats) -> tuple[slice, ...]:
    low = np.floor((nucleus.centre - nucleus.reach) / steps).astype(int)
    high = np.ceil((nucleus.centre + nucleus.reach) / steps).astype(int) + 1
    return tuple(slice(max(0, a), min(n, b)) for a, b, n in zip(low, high, shape, strict=True))


def _depth_inside(nucleus: Nucleus, window: tuple[slice, ...], steps: Floats) -> tuple[Floats, Floats]:
    """Give 0 in the middle and 1 on the outline, and the place of each pixel in units of the radii."""
    grid = np.stack(np.meshgrid(*(np.arange(s.start, s.stop, dtype=np.float32) for s in window), indexing="ij"), -1)
    place = (grid * steps - nucleus.centre) @ nucleus.turn.T / nucleus.radii
    place[..., -2] += nucleus.bend * (place[..., -1] ** 2 - 0.5)
    distance = np.sqrt(np.sum(place**2, -1)) + np.float32(1e-6)
    way = place / distance[..., None]
    outline = np.ones_like(distance)
    for direction, phase, height in nucleus.bumps:
        outline += np.float32(height) * np.cos(way @ direction + np.float32(phase))
    return (distance / outline).astype(np.float32), place.astype(np.float32)


def _glow(rng: np.random.Generator, nucleus: Nucleus, depth: Floats, place: Floats) -> Floats:
    """Give the light of one nucleus: thick in the middle, with dark nucleoli and bright dense spots."""
    body = np.clip(1 - depth**2, 0, None)
    light = body ** np.float32(0.4 if place.shape[-1] == 2 else 0.15)
    spots = [(-rng.uniform(0.3, 0.6), rng.uniform(0.14, 0.24)) for _ in range(rng.integers(0, 4))]
    spots += [(rng.uniform(0.2, 0.5), rng.uniform(0.06, 0.12)) for _ in range(rng.integers(0, 7))]
    for height, radius in spots:
        middle = _direction(rng, place.shape[-1]) * np.float32(rng.uniform(0, 0.7))
        square = np.sum((place - middle) ** 2, -1)
        light *= 1 + np.float32(height) * np.exp(-square / np.float32(2 * radius**2))
    return (light * np.float32(nucleus.brightness)).astype(np.float32)


def _whole(labels: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """Number the objects 1..n, each in one piece; crumbs and slivers vanish."""
    result, count = np.zeros_like(labels), 0
    for number, window in enumerate(ndimage.find_objects(labels), start=1):
        if window is None:
            continue
        pieces, _ = ndimage.label(labels[window] == number)
        sizes = np.bincount(pieces.ravel())[1:]
        if sizes.max() >= 12:
            count += 1
            result[window][pieces == sizes.argmax() + 1] = count
    return result
