"""Counting from points: how many cells, of which kind, and where; in 2D and 3D.

The network gives a density, whose integral over any region is the number of cells in it (Lempitsky & Zisserman 2010,
"Learning to count objects in images"): each point is a Gaussian of mass one, as wide as the cells lie close. The
positions are decoded from the density, as many as its integral says.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np
import numpy.typing as npt

from microforge.annotations import POINTS, AnnotationKind
from microforge.annotations.pieces import SINGLE_PLACES, Enough, Pieces, of_points
from microforge.answers import CELLS, AnswerKind
from microforge.answers.quality import Quality, count_quality
from microforge.config import AugmentationConfig
from microforge.errors import AnnotationError
from microforge.events import RunAdvice
from microforge.tasks.abilities import PlanningHints
from microforge.tasks.base import Direction, Task, TaskOptions
from microforge.tasks.baselines import Baseline, MeanCount
from microforge.tasks.confidence import Calibration, Judged, calibration_text, fit_calibration
from microforge.tasks.counting.density import find_positions, stamp_density
from microforge.tasks.counting.interval import fit_interval, intervals_text
from microforge.tasks.counting.options import CountingOptions
from microforge.tasks.counting.points import (
    anisotropy_of,
    checked_points,
    clean_points,
    kinds_in,
    named_kinds,
    spacing_of,
)
from microforge.tasks.counting.scores import judge_points, misplaced, summarise_counts, tally_counts
from microforge.tasks.counting.unclicked import advice_on_unclicked, cell_width, clicked_ground
from microforge.tasks.readiness import Goals, Readiness
from microforge.types import Batch, Count, Floats, Points, Prediction, Sample, Target, Unpainted

if TYPE_CHECKING:
    import torch

#: Width of a point's Gaussian as a part of the typical distance to the next point, and its limits in pixels.
POINT_WIDTH, NARROWEST, WIDEST = 0.2, 1.5, 12.0
#: With more pixels per point than a square (or cube) of this side, patches are cut around points.
SPARSE = 100.0
#: How much brightness and size are varied, unless a person says otherwise.
PLAIN, COLOURED = {"intensity": 0.1, "scale": 1.0}, {"intensity": 0.3, "scale": 1.25}
#: How far the network should see, in units of the spacing.
SEEN_SPACINGS = 6.0
#: Limits of what densities are multiplied by.
GAINS = (0.7, 1.4)
#: What the image of a result is.
DENSITY = "density"


class Counting(Task):
    """Count cells and say where they are."""

    name: ClassVar[str] = "counting"
    title: ClassVar[str] = "Count cells"
    group: ClassVar[str] = "Find"
    place: ClassVar[int] = 2
    description: ClassVar[str] = "Click a point on each cell in a few images or regions; gives counts and places."
    annotation: ClassVar[AnnotationKind] = POINTS
    answer: ClassVar[AnswerKind] = CELLS
    monitor: ClassVar[tuple[str, Direction]] = ("MAE", "min")
    result: ClassVar[str] = "cells"
    Options: ClassVar[type[TaskOptions]] = CountingOptions
    enough: ClassVar[Enough] = SINGLE_PLACES
    goals: ClassVar[Goals | None] = Goals(10, 50, "point")
    unpainted_choices: ClassVar[tuple[Unpainted, ...]] = ("around", "background")
    options: CountingOptions

    @property
    def kinds(self) -> tuple[str, ...]:
        """Names of the kinds, in the order of the channels; a single one may have none."""
        return self.options.kinds or ("",)

    @property
    def out_channels(self) -> int:
        """One density per kind."""
        return len(self.kinds)

    @property
    def sigmas(self) -> tuple[float, ...]:
        """Widths of a point's Gaussian in pixels along ``(Z)YX``."""
        width = float(np.clip(POINT_WIDTH * self.options.spacing, NARROWEST, WIDEST))
        return tuple(width / step for step in self.options.anisotropy or (1.0, 1.0))

    def augmentation(self, config: AugmentationConfig) -> AugmentationConfig:
        """Vary less than usual: cells of one magnification have one size, and brightness tells of cells in a heap.

        In colour brightness tells less, and stains differ from slide to slide. What was set to other than the usual
        values stays.
        """
        usual, fitting = AugmentationConfig(), COLOURED if self.options.channels > 1 else PLAIN
        return config.model_copy(update={k: v for k, v in fitting.items() if getattr(config, k) == getattr(usual, k)})

    @property
    def hints(self) -> PlanningHints:
        """A cell is known by its neighbours too: several of them should be seen at once.

        Cells outside a patch reach into it, but cannot be recognised; where the image ends, there are none.
        """
        border = tuple(round(3 * sigma) for sigma in self.sigmas)
        return PlanningHints(min_receptive_field=SEEN_SPACINGS * self.options.spacing, ignored_border=border)

    @property
    def spacing(self) -> float:
        """Typical distance of a point to the next, in pixels along X."""
        return self.options.spacing

    @property
    def radius(self) -> float:
        """Distance within which a point counts as found, in pixels along X."""
        return self.options.radius or self.options.spacing / 2

    @property
    def tolerance(self) -> npt.NDArray[np.float64]:
        """The same distance in pixels along ``(Z)YX``."""
        return np.asarray(self.radius / self._scale)

    @property
    def blank_means_none(self) -> bool:
        """Whether images without points are learnt from as images without cells."""
        return self.options.empty == "no cells"

    def fit(self, samples: Sequence[Sample]) -> Self:
        """Take the kinds, and how far apart cells lie, from the points."""
        found_kinds = kinds_in([sample.points for sample in samples if sample.points is not None])
        names = dict.fromkeys((*self.options.kinds, *found_kinds))
        anisotropy = anisotropy_of(samples)
        spacing = _spacing(samples, anisotropy) or self.options.spacing
        known = sum(sample.known_size for sample in samples)
        area = known / max(sum(len(sample.points) for sample in samples if sample.points is not None), 1)
        channels = samples[0].image.shape[0]
        return self.with_options(
            kinds=tuple(names), anisotropy=anisotropy, spacing=spacing, area_per_point=area, channels=channels
        )

    def check(self, sample: Sample) -> Sample:
        """Refuse points that do not fit the image; leave out those outside, and merge those on one another."""
        points = checked_points(sample)
        cleaned = clean_points(points, sample.image.shape[1:]).points
        sample = named_kinds(replace(sample, points=cleaned), self.options.kinds)
        if sample.mask is None and (sample.partly_painted or self.options.unclicked == "around"):
            ground = clicked_ground(sample)
            sample = replace(sample, mask=ground, inferred=ground is not None, partly_painted=False)
        nothing = not len(cleaned) and sample.mask is None
        if nothing and self.options.empty == "left out":
            raise AnnotationError(
                "It has no points.",
                where=sample.name,
                remedy="If there are no cells on it, set the option 'empty' to 'no cells'.",
            )
        return sample

    def without_new(self, sample: Sample) -> tuple[Sample, str]:
        """Leave out points of kinds that are new: there are no cells of the kinds known at their places."""
        points, kinds = sample.points, self.kinds
        if points is None or len(points.kinds) == len(kinds) == 1:
            return sample, ""
        new = [name for k, name in enumerate(points.kinds) if name not in kinds and (points.kind == k).any()]
        known = np.isin(points.kind, [k for k, name in enumerate(points.kinds) if name not in new])
        words = "; ".join(f"{name or 'a kind without a name'} is a new kind of cells" for name in new)
        return (replace(sample, points=points.only(known)) if new else sample), words

    def changes(self, given: Sample, used: Sample) -> str:
        """Tell of points that were merged or left out."""
        if given.points is None:
            return ""
        cleaned = clean_points(given.points, given.image.shape[1:])
        parts = []
        if cleaned.outside:
            parts.append(f"{_points(cleaned.outside)} outside the image left out")
        if cleaned.merged:
            parts.append(f"{_points(cleaned.merged)} on another merged with it")
        return ", ".join(parts)

    def describe(self, samples: Sequence[Sample]) -> Readiness:
        """Count the points, of each kind."""
        known = [sample.points for sample in samples if sample.points is not None]
        total = sum(len(points) for points in known)
        text = f"{total:,} point{'s' * (total != 1)} in {len(known)} image{'s' * (len(known) != 1)}"
        names = kinds_in(known)
        if len(names) > 1:
            text += ": " + ", ".join(f"{sum(len(p.of_kind(name)) for p in known):,} {name}" for name in names)
        missing = "" if total else "Click a point on each cell of at least one image or region."
        return Readiness(text, missing, self.headway(samples))

    def pieces(self, sample: Sample) -> Pieces:
        """Give the points."""
        return of_points(sample)

    def advise(self, samples: Sequence[Sample]) -> Iterator[RunAdvice]:
        """Tell of points outside annotated regions, and of cells without a point where all should have one."""
        yield from advice_on_unclicked(samples)
        for sample in samples:
            if sample.points is not None and sample.mask is not None:
                outside = len(sample.points) - len(sample.points.inside(sample.mask))
                if outside:
                    text = f"{sample.name}: {_points(outside)} outside the annotated region: nothing is learnt there."
                    yield RunAdvice(f"outside {sample.name}", text)

    def encode(self, sample: Sample) -> Target:
        """Give the density of each kind, in units of a lone point's peak, and where it is known."""
        assert sample.points is not None
        shape, points = sample.image.shape[1:], sample.points
        value = np.stack([stamp_density(points.of_kind(name), shape, self.sigmas) for name in self.kinds])
        return Target(value / self._unit, sample.weight)

    def focus(self, sample: Sample) -> npt.NDArray[np.float32]:
        """Give the points where they are rare.

        Else every place shows some, and looking at points more often than at other places would teach the network to
        expect more cells than there are.
        """
        if sample.points is None or self.options.area_per_point < SPARSE ** len(self.sigmas):
            return super().focus(sample)
        return sample.points.coordinates

    def corrupt(self, batch: Batch, rng: np.random.Generator) -> Batch:
        """Keep the integral: where a patch was scaled, a pixel of it stands for more or fewer recorded ones."""
        if batch.area is None:
            return batch
        area = batch.area.reshape(-1, *[1] * (batch.target.ndim - 1))
        return replace(batch, target=batch.target * area)

    def loss(self, output: "torch.Tensor", batch: Batch) -> "torch.Tensor":
        """Squared error of the density: its minimum is the mean, so that sums are right on average."""
        from microforge import losses

        return losses.squared_error(output, batch.target, batch.weight)

    def activate(self, output: "torch.Tensor") -> "torch.Tensor":
        """Give cells per pixel."""
        import torch

        gains = torch.tensor(self._gains, device=output.device)
        return output * (gains * self._unit).reshape(-1, *[1] * (output.ndim - 2))

    def decode(self, output: npt.NDArray[np.float32]) -> Prediction:
        """Place as many points of each kind as the integral of its density says."""
        places, peaks, kind, uncertain = [], [], [], 0
        for number, density in enumerate(output):
            found = find_positions(density, round(float(density.sum(dtype=np.float64))), self.sigmas)
            certain = self._confidence(found.confidence) >= self.options.confidence
            places.append(found.places[certain])
            peaks.append(found.confidence[certain])
            kind.append(np.full(int(certain.sum()), number, np.int32))
            uncertain += int((~certain).sum())
        kinds = np.concatenate(kind)
        points = Points(np.concatenate(places), kinds, self.kinds, "ZYX"[-(output.ndim - 1) :])
        columns = {"kind": np.array(self.kinds, object)[kinds]} if len(self.kinds) > 1 else {}
        evidence = {"peak": np.concatenate(peaks)}
        columns["confidence"] = self._confidence(evidence["peak"])
        names = self.kinds if len(self.kinds) > 1 else ()
        return Prediction(
            image=output,
            image_name=DENSITY,
            points=points,
            channel_names=names,
            measurements=columns,
            left_out={"confidence": uncertain},
            evidence=evidence,
            certainty=calibration_text(self.options.calibration, "cells"),
        )

    def count(self, prediction: Prediction, region: npt.NDArray[np.bool_] | None = None) -> tuple[Count, ...]:
        """Integrate the density of each kind, with how far that may be off where it was measured."""
        assert prediction.image is not None
        counts = []
        for kind, density in zip(self.kinds, prediction.image, strict=True):
            inside = True if region is None else np.broadcast_to(region, density.shape)
            value = float(np.sum(density, dtype=np.float64, where=inside))
            value = max(value, 0.0)
            interval = self.options.intervals.get(kind)
            counts.append(Count(kind, value) if interval is None else Count(kind, value, *interval.around(value)))
        return tuple(counts)

    def statistics(self, prediction: Prediction, sample: Sample) -> dict[str, float]:
        """Give the counts of the whole image, with their bounds."""
        counts = self.count(prediction)
        statistics = {} if len(counts) == 1 else {"count": sum(count.value for count in counts)}
        for count in counts:
            of = f" {count.kind}" if count.kind else ""
            statistics[f"count{of}"] = count.value
            if count.low is not None and count.high is not None:
                statistics |= {f"low{of}": count.low, f"high{of}": count.high}
        return statistics

    def compare(self, output: npt.NDArray[np.float32], sample: Sample) -> dict[str, float]:
        """Give the counts, and the true ones, inside what is annotated."""
        assert sample.points is not None
        counts = self.count(Prediction(image=output), sample.mask)
        known = sample.known_points(sample.points)
        truth = {f"truth {kind}": float(len(known.of_kind(kind))) for kind in self.kinds}
        return {f"found {count.kind}": count.value for count in counts} | truth

    def level(self, compared: Sequence[Mapping[str, float]]) -> Self:
        """Make up for what is common to the errors of all counts; a few per cent remain however long one trains."""
        gains = []
        for kind, gain in zip(self.kinds, self._gains, strict=True):
            found, truth = (sum(one[f"{name} {kind}"] for one in compared) for name in ("found", "truth"))
            # Nothing is made up for by much: a model that finds next to nothing has not learnt yet.
            gains.append(float(np.clip(gain * truth / found, *GAINS)) if found > 0 and truth > 0 else gain)
        return self.with_options(gains=tuple(gains))

    def calibrate(self, tallies: Sequence[Mapping[str, float]], series: Sequence[str] | None = None) -> Self:
        """Measure on images kept aside how far counts are off; a series counts as one image."""
        intervals = {}
        for kind in self.kinds:
            found, truth = ([tally[f"{name} {kind}"] for tally in tallies] for name in ("found", "truth"))
            interval = fit_interval(found, truth, series)
            if interval is not None:
                intervals[kind] = interval
        return self.with_options(intervals=intervals)

    def judge(self, output: Floats, prediction: Prediction, sample: Sample) -> Mapping[str, Judged]:
        """Tell which of the cells inside what is annotated are right."""
        return {"calibration": judge_points(prediction, sample, self.tolerance)}

    def trust(self, judged: Sequence[Mapping[str, Judged]]) -> Self:
        """Learn from cells kept aside how sure to be."""
        return self.with_options(calibration=fit_calibration([one["calibration"] for one in judged]))

    def certainty(self) -> Calibration | None:
        """Give how it was learnt how sure to be."""
        return self.options.calibration

    def learnt(self) -> dict[str, str]:
        """Name the kinds, and say how far counts may be off."""
        unknown = "not known: `microforge calibrate` measures how far counts may be off"
        names = ", ".join(name for name in self.options.kinds if name)
        interval = intervals_text(self.options.intervals) or unknown
        return {"kinds": names, "interval": interval, "confidence": calibration_text(self.certainty(), "cells")}

    def baseline(self) -> Baseline:
        """The mean count, nowhere in particular."""
        return MeanCount()

    def errors(self, prediction: Prediction, sample: Sample) -> npt.NDArray[np.bool_]:
        """Give what lies around cells that are missed or too many."""
        return misplaced(prediction, sample, self.tolerance)

    def degenerate(self, prediction: Prediction) -> str:
        """Tell of no cell at all."""
        return "" if any(count.value >= 0.5 for count in self.count(prediction)) else "no cell"

    def tally(self, prediction: Prediction, sample: Sample) -> dict[str, float]:
        """Add up the errors of the counts, and the points found, missed and extra, inside what is annotated."""
        return tally_counts(self.count(prediction, sample.mask), prediction, sample, self.tolerance)

    def metric_noise(self, images: int) -> float:
        """Take two standard deviations of the difference of two mean absolute errors, were errors normal."""
        return 2 * 1.07 / float(np.sqrt(images))

    def summarise(self, tally: Mapping[str, float]) -> dict[str, float]:
        """MAE, RMSE, MAPE and bias of the counts, F1 of the points, and how often the interval held."""
        return summarise_counts(tally)

    @classmethod
    def in_words(cls, metrics: Mapping[str, float]) -> Quality | None:
        """Say by how much counts are off."""
        return count_quality(metrics)

    def _confidence(self, peaks: Floats) -> Floats:
        """Give how sure to be of points by their peaks, compared with that of a lone point."""
        calibration = self.options.calibration
        return peaks if calibration is None else calibration.confidence({"peak": peaks})

    @property
    def _scale(self) -> npt.NDArray[np.float64]:
        """Distances along ``(Z)YX`` in pixels along X."""
        return np.array(self.options.anisotropy or (1.0, 1.0))

    @property
    def _gains(self) -> tuple[float, ...]:
        return self.options.gains if len(self.options.gains) == len(self.kinds) else (1.0,) * len(self.kinds)

    @property
    def _unit(self) -> float:
        """Peak of a lone point in cells per pixel: the network answers in units of it."""
        return float(np.prod([1 / (np.sqrt(2 * np.pi) * sigma) for sigma in self.sigmas]))


def _spacing(samples: Sequence[Sample], anisotropy: Sequence[float]) -> float | None:
    """Give how far apart cells lie; where all images are clicked in part, they may lie as near as they are wide."""
    whole = [sample for sample in samples if not sample.inferred]
    if whole or not samples:
        return spacing_of(whole, anisotropy)
    widths = [width for sample in samples if (width := cell_width(sample)) is not None]
    return min(float(np.median(widths)), spacing_of(samples, anisotropy) or np.inf) if widths else None


def _points(number: int) -> str:
    return f"{number:,} point{'s' * (number != 1)}"
