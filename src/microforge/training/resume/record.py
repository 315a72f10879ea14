"""What a checkpoint knows of its run besides weights: come here when a run must take something up again."""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from pydantic import ValidationError

from microforge.config import NetworkConfig, Settings, TrainingConfig
from microforge.data.split import Split
from microforge.errors import ModelFileError, readable
from microforge.io.model_file import NormalisationCard
from microforge.types import Sample

HASHED_ROWS = 64


class RunRecord(Settings):
    """What was planned when the run began, and what of it changed since.

    Attributes
    ----------
    task_options
        With what was taken from the data.
    network, patch, batch_size
        As they are by now: smaller than planned where memory was short.
    images, aside
        Fingerprints of images and annotations, by name: of all, and of those kept aside.
    order
        Names of the samples trained on, in the order in which patches are drawn from them.
    """

    config: TrainingConfig
    task_options: dict[str, Any]
    network: NetworkConfig
    patch: tuple[int, ...]
    batch_size: int
    normalisation: NormalisationCard
    split: Split
    images: dict[str, str]
    aside: dict[str, str]
    order: tuple[str, ...]


def read_record(values: Mapping[str, Any], where: str) -> RunRecord:
    """Give the record in the values of a checkpoint.

    Raises
    ------
    ModelFileError
        If there is none, as in checkpoints of older versions, or it makes no sense.
    """
    remedy = "Start a new run; it may start_from the model of this one."
    if "run" not in values:
        raise ModelFileError(
            "The checkpoint is of an older version: it does not tell which images were kept aside.",
            where=where,
            remedy=remedy,
        )
    try:
        return RunRecord.model_validate(values["run"])
    except ValidationError as error:
        raise ModelFileError("The checkpoint is damaged, or of another program.", where=where, remedy=remedy) from error


def fingerprints(samples: Iterable[Sample]) -> dict[str, str]:
    """Give what differs when an image (rows of it, spread evenly) or what is known of it (all) does."""
    return {readable(sample.name): _fingerprint(sample) for sample in samples}


def _fingerprint(sample: Sample) -> str:
    digest = hashlib.blake2b(digest_size=16)
    step = max(1, sample.image.shape[-2] // HASHED_ROWS)
    arrays = [np.asarray(sample.image[..., ::step, :]), sample.annotation, sample.mask]
    if sample.points is not None:
        arrays += [sample.points.coordinates, sample.points.kind]
        digest.update(repr(sample.points.kinds).encode("utf-8", "surrogatepass"))
    for array in arrays:
        digest.update(b"none" if array is None else repr((array.shape, array.dtype.str)).encode())
        digest.update(b"" if array is None else np.ascontiguousarray(array).tobytes())
    digest.update(sample.class_name.encode("utf-8", "surrogatepass"))
    # Runs of before know of no groups.
    digest.update(f"group {sample.group}".encode("utf-8", "surrogatepass") if sample.group else b"")
    return digest.hexdigest()
