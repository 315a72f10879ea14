"""What a network says of a place nobody annotated: how sure it is, and what the place looks like to it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from microforge.data.scale.seen import as_seen, decoded, on_image
from microforge.types import Floats, Labels, Sample, Window

if TYPE_CHECKING:
    from microforge.inference.predictor import Predictor

#: So many poses are compared: more tell little more, and each costs a pass of the network.
MOST_POSES = 4


@dataclass(frozen=True, eq=False)
class Look:
    """What was seen of one window of an image.

    Attributes
    ----------
    window
        Slices ``(Z)YX``.
    disagreement
        Standard deviation of the network's answers in several poses, mean over channels and over the pixels whose
        truth is not known.
    features
        float32 ``(F,)``, see `microforge.inference.tiling.TiledNetwork.features`.
    known
        Which part of it is annotated, 0..1.
    time
        The time point of the image.
    """

    window: Window
    disagreement: float
    features: Floats
    known: float = 0.0
    time: int = 0


def look_into(
    predictor: "Predictor", sample: Sample, window: Window, known: npt.NDArray[np.bool_] | bool = False, time: int = 0
) -> Look:
    """Look at a window of an image, in poses that the network has learnt; what is around it is not read.

    Parameters
    ----------
    known
        bool ``(Z)YX`` of the whole image: where it is annotated; or all of it, or nothing.
    """
    pixels = _pixels(predictor, sample, window)
    features = predictor.network.features(pixels)[0]
    there = np.broadcast_to(known, sample.image.shape[1:])[window]
    share = float(there.mean())
    if share == 1:
        return Look(window, 0.0, features, share, time)
    answers = np.stack(predictor.network.in_poses(pixels, MOST_POSES))[:, 0]
    spread = on_image(predictor.task, answers.std(axis=0).mean(axis=0, keepdims=True), there.shape)[0]
    finer = spread.shape[-1] // there.shape[-1]
    unknown = np.kron(~there, np.ones((finer, finer), bool)) if finer > 1 else ~there
    return Look(window, float(spread[unknown].mean()), features, share, time)


def objects_in(predictor: "Predictor", sample: Sample, window: Window) -> Labels | None:
    """Give the objects that are found in a window; None where labels of this task are no objects."""
    if predictor.task.label_classes:
        return None
    answer = predictor.network.forward(_pixels(predictor, sample, window))[0]
    return decoded(predictor.task, answer, tuple(side.stop - side.start for side in window)).labels


def _pixels(predictor: "Predictor", sample: Sample, window: Window) -> Floats:
    part = as_seen(np.asarray(sample.image[(slice(None), *window)]), predictor.task)
    return predictor.normaliser(sample)(np.asarray(part))[None]
