"""Objects: every cell or nucleus gets its own label, also where they touch, in 2D and 3D.

The network answers two questions per pixel: is it inside an object, and how deep inside, as a part of that object's
own greatest depth. The second falls to zero wherever two objects touch, whatever their size, so that decoding needs
no size setting (cf. Naylor et al. 2019, doi 10.1109/TMI.2018.2865709).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from microforge.annotations import LABELS, AnnotationKind
from microforge.annotations.pieces import SINGLE_PLACES, Enough, Pieces, of_objects
from microforge.answers import OBJECTS, AnswerKind
from microforge.config import NetworkConfig, choice_field, decoding_field, fitted_field
from microforge.events import RunAdvice
from microforge.label_numbers import label_sizes, renumbered
from microforge.tasks.abilities import PlanningHints
from microforge.tasks.base import Direction, TaskOptions
from microforge.tasks.baselines import Baseline, Watershed
from microforge.tasks.confidence import Calibration, Judged, calibration_text, fit_calibration
from microforge.tasks.instances import own_answers
from microforge.tasks.instances.evidence import object_evidence
from microforge.tasks.instances.ground import known_ground, unpainted_objects
from microforge.tasks.instances.judging import judge_near_misses, judge_objects
from microforge.tasks.instances.near_misses import near_miss_evidence, near_misses_of, near_objects, within_objects
from microforge.tasks.instances.pasting import pasted
from microforge.tasks.instances.scores import ObjectTask
from microforge.tasks.instances.watershed import fill_holes, split_objects
from microforge.tasks.instances.working_scale import sizes_in
from microforge.tasks.label_images import checked_objects, cut_out, object_count, splitting
from microforge.tasks.readiness import Goals, Readiness
from microforge.types import Array, Batch, Floats, NearMiss, Prediction, Sample, Target, Unpainted

if TYPE_CHECKING:
    import torch

#: Of so many objects the smallest tell how small others may be; fewer are taken to be no smaller than this part of the
#: middle one.
ENOUGH_OBJECTS, FEW_PART = 50, 0.1
#: So many times its diameter is seen around the middle of an object.
SEEN_AROUND = 1.5
#: So many images, and so many pixels of them, are looked at for objects that nobody painted, as it takes a second each.
IMAGES_LOOKED_AT, PIXELS_LOOKED_AT = 12, 4_000_000
#: An image is told of where it has at least so many of them, and no fewer than are painted.
FEWEST_UNPAINTED = 3
#: Of a place where an object was nearly found, while nothing is known of such places: part of its probability.
_UNSURE = np.float32(0.5)


class InstanceOptions(TaskOptions):
    """Settings of object segmentation."""

    probability: float = decoding_field(
        0.35, gt=0, lt=1, title="Object probability", description="Higher finds less, and smaller, objects."
    )
    merging: float = decoding_field(
        0.25,
        gt=0,
        le=1,
        title="Merging",
        description="How deep a notch must be to split an object in two; higher merges more.",
    )
    confidence: float = decoding_field(
        0.3,
        ge=0,
        le=1,
        title="Clear centre",
        description="Objects whose centre the network sees less clearly than this are left out; from 0 to 1.",
        left_out="less clear than {value:.2f}",
    )
    smallest: int = decoding_field(
        10,
        ge=1,
        title="Smallest object",
        description="Objects of fewer pixels are left out; set from the annotations.",
        left_out="smaller than {value:,} px",
    )
    diameter: float = fitted_field(
        0.0, ge=0, title="Diameter", description="Of a typical object, in pixels; set from the annotations."
    )
    working_scale: float = fitted_field(
        1.0,
        ge=0.125,
        le=8,
        title="Working scale",
        description="How many times images are enlarged before the network sees them; set from the objects' size.",
    )
    unpainted: Unpainted = choice_field(
        "background",
        title="Label files: unpainted is",
        choices={
            "around": "background near painted objects and where it looks like that; for images painted in part",
            "background": "there is no object, as everything is painted",
            "unknown": "not looked at: nothing is learnt there",
        },
    )
    calibration: Calibration | None = fitted_field(
        None,
        title="Calibration",
        description="How confident the model may be of an object; measured on objects kept aside.",
    )
    whole: Calibration | None = fitted_field(
        None,
        title="Whole objects",
        description="How likely an object is right and no part of one, nor several; measured on images kept aside.",
    )
    missed: Calibration | None = fitted_field(
        None,
        title="Missed objects",
        description="How likely an object was missed where one was nearly found; measured on images kept aside.",
    )


class Instances(ObjectTask):
    """Segment objects that may touch."""

    name: ClassVar[str] = "instances"
    title: ClassVar[str] = "Segment objects"
    group: ClassVar[str] = "Find"
    place: ClassVar[int] = 1
    result: ClassVar[str] = "objects"
    description: ClassVar[str] = "Paint each object with its own label; finds and separates touching objects."
    annotation: ClassVar[AnnotationKind] = LABELS
    answer: ClassVar[AnswerKind] = OBJECTS
    monitor: ClassVar[tuple[str, Direction]] = ("AP@0.5", "max")
    unpainted_choices: ClassVar[tuple[Unpainted, ...]] = ("around", "background", "unknown")
    Options: ClassVar[type[TaskOptions]] = InstanceOptions
    enough: ClassVar[Enough] = SINGLE_PLACES
    goals: ClassVar[Goals | None] = Goals(6, 30, "object")
    options: InstanceOptions

    @property
    def out_channels(self) -> int:
        """Inside or not, and depth."""
        return 2

    def network(self, config: NetworkConfig) -> NetworkConfig:
        """Answer as coarsely as labels may: what matters is on which side of a threshold an answer lies."""
        return config.model_copy(update={"graded": False})

    def fit(self, samples: Sequence[Sample]) -> Self:
        """Take from the objects at which scale the network works, and which size nearly all of them exceed."""
        found = sizes_in(samples)
        fitted = {"diameter": found.typical, "working_scale": found.working_scale, "smallest": self._smallest(samples)}
        set_by_hand = self.options.model_fields_set
        return self.with_options(**{name: value for name, value in fitted.items() if name not in set_by_hand})

    def _smallest(self, samples: Sequence[Sample]) -> int:
        """Give the size that nearly all objects exceed, also those that are not annotated."""
        sizes = [label_sizes(s.annotation) for s in samples if s.annotation is not None]
        found = np.concatenate(sizes) if sizes else np.zeros(0)
        if len(found) == 0:
            return self.options.smallest
        smallest = float(np.percentile(found, 2))
        if len(found) < ENOUGH_OBJECTS:
            smallest = min(smallest, FEW_PART * float(np.median(found)))
        return max(1, int(smallest))

    def learnt(self) -> dict[str, str]:
        """Tell from which size on objects are kept, and at which scale the network works."""
        told = {
            "smallest object": f"{self.options.smallest} pixels; what is smaller is left out",
            "confidence": calibration_text(self.certainty()),
        }
        if self.working_scale != 1:
            told["working scale"] = (
                f"images are seen at {self.working_scale:.2g} times their size, as a typical object is "
                f"{self.options.diameter:.0f} px wide"
            )
        return told

    @property
    def hints(self) -> PlanningHints:
        """See an object and what is beside it, as the network sees it."""
        return PlanningHints(min_receptive_field=SEEN_AROUND * self.options.diameter * self.working_scale)

    @property
    def working_scale(self) -> float:
        """How many times images are enlarged along YX before the network sees them."""
        return self.options.working_scale

    def at_working_scale(self) -> Self:
        """Give the task with the smallest object in pixels of the enlarged image."""
        return self.with_options(smallest=max(1, round(self.options.smallest * self.working_scale**2)))

    def check(self, sample: Sample) -> Sample:
        """Refuse labels that cannot be objects, split those that are several, and note which ground is known."""
        checked = checked_objects(sample)
        assert checked.annotation is not None
        if checked.partly_painted or (checked.mask is None and self.options.unpainted == "around"):
            known = known_ground(checked.image, checked.annotation, checked.mask)
            return replace(checked, mask=known, partly_painted=False, inferred=True)
        if checked.mask is None and self.options.unpainted == "unknown":
            return replace(checked, mask=checked.annotation > 0)
        return checked

    def advise(self, samples: Sequence[Sample]) -> Iterator[RunAdvice]:
        """Tell of images that look painted in part though all is said to be; some of many images are looked at."""
        left = PIXELS_LOOKED_AT
        for sample in samples[:: -(-len(samples) // IMAGES_LOOKED_AT) or 1]:
            left -= sample.size
            if sample.mask is None and sample.annotation is not None and left >= 0:
                others = unpainted_objects(sample.image, sample.annotation)
                yield from _looks_partly_painted(sample.name, object_count(sample), others)

    def changes(self, given: Sample, used: Sample) -> str:
        """Tell of pieces that are taken as objects."""
        return splitting(given, used)

    def describe(self, samples: Sequence[Sample]) -> Readiness:
        """Count the painted objects."""
        total = sum(object_count(sample) for sample in samples)
        where = f"{len(samples)} image{'s' * (len(samples) != 1)}"
        text = f"{total} object{'s' * (total != 1)}{_on_planes(samples)} in {where}"
        if total == 0:
            return Readiness(text, "Paint at least one object, each with its own label.")
        if not any(_shows_background(sample) for sample in samples):
            return Readiness(text, "Nothing says what background is: mark a region, or set unpainted to background.")
        return Readiness(text, headway=self.headway(samples))

    def certainty(self) -> Calibration | None:
        """Give how it was learnt how sure to be."""
        return self.options.calibration

    def pieces(self, sample: Sample) -> Pieces:
        """Give the objects."""
        return of_objects(sample)

    def encode(self, sample: Sample) -> Target:
        """Give ``(inside, depth)`` and where they are known."""
        assert sample.annotation is not None
        labels = sample.annotation
        inside = (labels > 0).astype(np.float32)
        depth = normalised_depth(labels, _anisotropy(sample))
        return Target(np.stack([inside, depth]), sample.weight)

    def focus(self, sample: Sample) -> npt.NDArray[np.float32]:
        """Give the middle of every object's bounding box."""
        labels = np.zeros((1, 1), np.int32) if sample.annotation is None else renumbered(sample.annotation)
        boxes = [box for box in ndimage.find_objects(labels) if box is not None]
        middles = [[(side.start + side.stop) / 2 for side in box] for box in boxes]
        return np.array(middles, np.float32).reshape(-1, sample.image.ndim - 1)

    def examples(self, sample: Sample, rng: np.random.Generator) -> Iterator[Sample]:
        """Paste copies of the objects side by side where few are painted and only a part of the ground is known."""
        few = sample.mask is not None and not sample.mask.all() and object_count(sample) < ENOUGH_OBJECTS
        return pasted(sample, rng) if few else iter(())

    def is_open(self, sample: Sample) -> bool:
        """Tell whether few objects are painted of those that may be there; too few to keep some of them aside."""
        return sample.inferred and 0 < object_count(sample) < self.enough.total

    def agreed(self, sample: Sample, outputs: Sequence[Floats]) -> Sample:
        """Give the objects and the background that several outputs agree on."""
        found = [self.decode(np.asarray(output)).labels for output in outputs]
        return own_answers.agreed_answer(
            sample, [labels for labels in found if labels is not None], [o[0] for o in outputs]
        )

    def completed(self, sample: Sample, answer: Sample) -> Sample:
        """Add objects of an answer that are as large as those painted, where nothing is known."""
        return own_answers.completed(sample, answer)

    def loss(self, output: "torch.Tensor", batch: Batch) -> "torch.Tensor":
        """Cross entropy of both answers, depth counting mostly inside objects, and Dice of the first."""
        from microforge import losses

        inside, weight = batch.target[:, :1], batch.weight
        depth_weight = weight * (0.2 + 2 * inside)
        pixelwise = losses.binary_cross_entropy(output[:, :1], inside, weight)
        values = losses.binary_cross_entropy(output[:, 1:], batch.target[:, 1:], depth_weight)
        scale = depth_weight.sum() / weight.sum().clamp_min(1.0)  # keep background-only batches from counting in full
        return pixelwise + values * scale + 0.5 * losses.soft_dice(output[:, :1].sigmoid(), inside, weight)

    def activate(self, output: "torch.Tensor") -> "torch.Tensor":
        """Probability and depth, both 0..1."""
        return output.sigmoid()

    def decode(self, output: npt.NDArray[np.float32]) -> Prediction:
        """Climb from every inside pixel to the top of its object; see `watershed.split_objects`."""
        o = self.options
        inside = fill_holes(output[0] > o.probability, o.smallest)
        found = split_objects(output[1], inside, o.merging, o.confidence, o.smallest)
        evidence = object_evidence(output, found)
        sure = found.heights if o.calibration is None else o.calibration.confidence(evidence)
        columns: dict[str, Array] = {"label": np.arange(1, len(found.heights) + 1), "confidence": sure}
        left_out = {"smallest": found.too_small, "confidence": found.too_low}
        said = calibration_text(o.calibration)
        return Prediction(found.labels, measurements=columns, left_out=left_out, evidence=evidence, certainty=said)

    def suspected(self, output: Floats, prediction: Prediction) -> tuple[NearMiss, ...]:
        """Give the places where an object was nearly found, and the objects that may be several or parts of one."""
        assert prediction.labels is not None
        o = self.options
        near = near_objects(output, prediction.labels, o.smallest)
        evidence = near_miss_evidence(output, near, o.smallest)
        beside = near_misses_of(
            near, evidence["probability"] * _UNSURE if o.missed is None else o.missed.confidence(evidence)
        )
        if o.whole is None:
            return beside
        within = within_objects(prediction.labels, 1 - o.whole.confidence(prediction.evidence))
        return tuple(sorted((*beside, *within), key=lambda one: -one.confidence))

    def judge(self, output: Floats, prediction: Prediction, sample: Sample) -> Mapping[str, Judged]:
        """Tell which objects are right, and where some were missed."""
        matched = self.match(prediction, sample)
        objects, whole = judge_objects(prediction, matched)
        missed = judge_near_misses(output, prediction, sample, self.options.smallest)
        return {"calibration": objects, "whole": whole, "missed": missed}

    def trust(self, judged: Sequence[Mapping[str, Judged]]) -> Self:
        """Learn from objects kept aside how sure to be."""
        names = ("calibration", "whole", "missed")
        return self.with_options(**{name: fit_calibration([one[name] for one in judged]) for name in names})

    def baseline(self) -> Baseline:
        """Otsu's threshold, and a watershed of the distance to the background."""
        return Watershed()


def normalised_depth(labels: Array, anisotropy: Sequence[float] | None = None) -> npt.NDArray[np.float32]:
    """Distance to the own object's border, divided by the object's greatest: float32 0..1 ``(Z)YX``.

    Measured object by object inside its bounding box, so that borders between touching objects count.

    Parameters
    ----------
    anisotropy
        Distance of planes, rows and columns in units of the last; None = all alike.
    """
    depth = np.zeros(labels.shape, np.float32)
    for _, box, inside in cut_out(labels):
        distance = ndimage.distance_transform_edt(np.pad(inside, 1), anisotropy)[(slice(1, -1),) * labels.ndim]
        depth[box][inside] = (distance[inside] / distance.max()).astype(np.float32)
    return depth


def _anisotropy(sample: Sample) -> Sequence[float] | None:
    """Give the distance of planes, rows and columns in units of the last; None where they are alike or not known."""
    size = sample.pixel_size
    if size is None or len(size) != sample.image.ndim - 1 or not np.ptp(size):
        return None
    return [length / size[-1] for length in size]


def _looks_partly_painted(name: str, painted: int, others: int) -> Iterator[RunAdvice]:
    if others >= max(FEWEST_UNPAINTED, painted):
        text = (
            f"{name}: {painted} object{'s are' if painted != 1 else ' is'} painted, and about {others} places look "
            "like them but are taught as background. If they are objects, paint them too, or say that the image is "
            "painted in part: unpainted is around what I paint (Annotate), or --option unpainted=around."
        )
        yield RunAdvice(f"partly {name}", text, "warning")


def _on_planes(samples: Sequence[Sample]) -> str:
    """Say on how many planes of stacks something is painted, where there are stacks."""
    stacks = [sample.annotation for sample in samples if sample.annotation is not None and sample.annotation.ndim > 2]
    planes = sum(int(np.asarray(labels).any(axis=(1, 2)).sum()) for labels in stacks)
    return f" on {planes} plane{'s' * (planes != 1)}" if planes else ""


def _shows_background(sample: Sample) -> bool:
    if sample.annotation is None:
        return False
    if sample.partly_painted:
        return True
    background = sample.annotation == 0
    return bool(background.any() if sample.mask is None else (background & sample.mask).any())
