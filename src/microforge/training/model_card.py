"""The model card: training data, hashes, versions, metrics, how to cite."""

import hashlib
import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version

import numpy as np

from microforge import __version__
from microforge.config import NetworkConfig
from microforge.errors import readable
from microforge.io.model_file import ModelCard, NormalisationCard, TrainingSummary
from microforge.networks.unet import receptive_field
from microforge.tasks.base import Task
from microforge.training.setup import Setup
from microforge.types import Sample

NAMED_IMAGES = 1000


def make_card(
    task: Task, network: NetworkConfig, normalisation: NormalisationCard, samples: Sequence[Sample], parameters: int
) -> ModelCard:
    """Give the card of a model about to be trained."""
    first = samples[0]
    sizes = [s.pixel_size for s in samples if s.pixel_size is not None]
    return ModelCard(
        task=task.name,
        task_options=task.options.model_dump(mode="json"),
        network=network,
        parameters=parameters,
        receptive_field=receptive_field(network),
        axes="YX" if network.dims == 2 else "ZYX",
        channel_names=first.channel_names,
        pixel_size=tuple(np.median(np.array(sizes), axis=0).tolist()) if sizes else None,
        normalisation=normalisation,
        versions=_versions(),
    )


def finished_card(
    card: ModelCard, summary: TrainingSummary, step: int, seconds: float, metrics: Mapping[str, float]
) -> ModelCard:
    """Give the card with what is known only after training."""
    training = summary.model_copy(update={"steps": step, "seconds": round(seconds, 1)})
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return card.model_copy(update={"training": training, "metrics": dict(metrics), "created": now})


def summarise(setup: Setup) -> TrainingSummary:
    """Say what a model is trained on and measured on."""
    training = setup.training
    return TrainingSummary(
        images=len(training),
        validation_images=len(setup.validation),
        annotated_megapixels=round(sum(sample.known_size for sample in training) / 1e6, 4),
        names=tuple(readable(s.name) for s in training[:NAMED_IMAGES]),
        validation_names=tuple(readable(s.name) for s in setup.validation[:NAMED_IMAGES]),
        data_hash=_hash(setup),
        dtypes=tuple(sorted({np.dtype(s.image.dtype).name for s in training})),
        device=str(setup.device),
        settings=setup.config.model_dump(mode="json", exclude_none=True),
        annotated=setup.annotated,
    )


def _hash(setup: Setup) -> str:
    """Fingerprint of the images learnt from, out of those noted already: files may be huge, and changes frequent."""
    digest = hashlib.blake2b(digest_size=16)
    for sample in setup.training:
        digest.update(setup.images.get(readable(sample.name), "").encode())
    return digest.hexdigest()


def _versions() -> dict[str, str]:
    found = {"napari-microforge": __version__, "python": platform.python_version()}
    for package in ("torch", "numpy", "scipy"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
