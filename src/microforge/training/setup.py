"""Set up a run: check annotations, split, choose defaults, encode targets."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from microforge.config import TrainingConfig
from microforge.data.annotated_extent import annotated_extent, crop_to_annotation
from microforge.data.augment import Augmentation
from microforge.data.normalise import card_for, normaliser_for
from microforge.data.patch_source import store
from microforge.data.sampler import Sampler, Source
from microforge.data.split import split_samples
from microforge.device import choose_device, free_memory
from microforge.errors import ModelFileError, NotEnoughDataError, SettingsError
from microforge.events import Preparing, RunAdvice
from microforge.io.model_file import ModelFile, NormalisationCard, load_model
from microforge.networks.unet import network_with, receptive_field
from microforge.tasks import Task, get_task
from microforge.tasks.abilities import BringsModel, arranged, augmentation_for, hints_of, question_for
from microforge.training.advice import advice_on_data, blank_images
from microforge.training.defaults import Plan, make_plan
from microforge.types import Sample

# Part of the free memory that all samples together may take on the device.
RESIDENT_SHARE = 0.3
# Validation is repeated during a run, on as much as can be predicted in a second or so.
VALIDATION_IMAGES, VALIDATION_PIXELS = 24, 3_000_000


@dataclass(frozen=True, eq=False)
class Setup:
    """What a run is made of; nothing in it changes while it runs."""

    config: TrainingConfig
    task: Task
    device: torch.device
    plan: Plan
    normalisation: NormalisationCard
    training: tuple[Sample, ...]
    validation: tuple[Sample, ...]
    start: ModelFile | None
    advice: tuple[RunAdvice, ...]


def make_setup(config: TrainingConfig, training: Sequence[Sample], validation: Sequence[Sample] | None) -> Setup:
    """Check everything and choose what is open.

    Raises
    ------
    MicroforgeError
        Of the kind that fits: unusable annotations, settings, device, or model to start from; too little data.
    """
    if not training:
        raise NotEnoughDataError("There is no annotated image to train on.", remedy="Annotate at least one.")
    task = get_task(config.task).from_options(config.task_options)
    device = choose_device(config.device)
    training, remark = arranged(task, training)
    usable, advice = _usable(task, training)
    if remark:
        advice = (RunAdvice("arranged", remark), *advice)
    readiness = task.describe(usable)
    if not readiness.ready:
        raise NotEnoughDataError(f"Training cannot start yet ({readiness.text}).", remedy=readiness.missing)
    task = task.fit(usable)
    if validation is None:
        usable_training, kept_aside = split_samples(usable, config.validation_fraction, config.seed)
    else:
        usable_training, kept_aside = usable, _usable(task, arranged(task, validation)[0])[0] if validation else ()
    start = _start_from(config.start_from, task) if config.start_from else None
    plan = make_plan(config, task, usable, device, start.card if start else None)
    if start is not None and config.normalisation != "dataset":
        normalisation = start.card.normalisation
    else:
        normalisation = card_for([s.image for s in usable_training], config.normalisation)
    advice = (*advice, *advice_on_data(task, usable_training), *task.advise(usable))
    if validation is None and not kept_aside and config.validation_fraction:
        text = "There is too little to keep some of it aside: quality is not measured."
        advice = (*advice, RunAdvice("no-validation", text))
    posed = tuple(question_for(task, sample) for sample in often_validated(kept_aside))
    return Setup(config, task, device, plan, normalisation, usable_training, posed, start, advice)


def _start_from(path: Path, task: Task) -> ModelFile:
    """Read the model to begin with; one whose card asks for another network than its own is refused."""
    start = load_model(path)
    if not isinstance(task, BringsModel):
        try:
            network_with(start.card.network, start.weights)
        except ValueError as error:
            raise ModelFileError("The weights do not fit the model's own card.", where=str(path)) from error
    return start


def _usable(task: Task, samples: Sequence[Sample]) -> tuple[tuple[Sample, ...], tuple[RunAdvice, ...]]:
    """Check annotations, and leave out images in which nothing can be seen."""
    names = [sample.name for sample in samples]
    if len(set(names)) != len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise SettingsError(f"Two images are called {twice}.", remedy="Rename one of them.")
    blank = blank_images(samples)
    if len(blank) == len(samples):
        words = "; ".join(sorted(set(blank.values())))
        raise NotEnoughDataError(f"Nothing can be seen in any image ({words}): there is nothing to learn.")
    advice = [
        RunAdvice(f"constant {name}", f"{name}: {words}; it is left out.", "warning")
        for name, words in sorted(blank.items())
    ]
    checked = []
    for sample in (s for s in samples if s.name not in blank):
        checked.append(task.check(sample))
        if changed := task.changes(sample, checked[-1]):
            advice.append(RunAdvice(f"changed {sample.name}", f"{sample.name}: {changed}."))
    return tuple(checked), tuple(advice)


def make_source(sample: Sample, setup: Setup) -> Source:
    """Encode a sample and put it where patches can be cut from it."""
    normaliser = normaliser_for(sample.image, setup.normalisation)
    part = crop_to_annotation(sample, receptive_field(setup.plan.network))
    limit = int(free_memory(setup.device) * RESIDENT_SHARE / max(len(setup.training), 1))
    target = setup.task.encode(part)
    if setup.task.keeps_intensities and len(target.value):
        target = replace(target, value=normaliser(target.value))
    kept = store(part, target, normaliser, setup.device, limit)
    shape = tuple(part.image.shape[1:])
    return Source(sample.name, kept, shape, setup.task.focus(part), annotated_extent(part))


def make_sampler(setup: Setup) -> Generator[Preparing, None, Sampler]:
    """Encode all training samples, telling progress; returns the sampler."""
    sources = []
    for done, sample in enumerate(setup.training, start=1):
        sources.append(make_source(sample, setup))
        yield Preparing("Encoding annotations", done / len(setup.training))
    return Sampler(
        sources,
        setup.plan.network.in_channels,
        setup.plan.batch_size,
        Augmentation(augmentation_for(setup.task, setup.config.augmentation), setup.plan.patch),
        setup.config.object_sampling,
        setup.config.seed,
        setup.plan.network.upscale,
        hints_of(setup.task).ignored_border,
    )


def often_validated(samples: Sequence[Sample]) -> tuple[Sample, ...]:
    """Give as many validation samples as can be predicted often; they come in random order already."""
    kept: list[Sample] = []
    pixels = VALIDATION_PIXELS
    for sample in samples[:VALIDATION_IMAGES]:
        pixels -= int(np.prod(sample.image.shape[1:]))
        if kept and pixels < 0:
            break
        kept.append(sample)
    return tuple(kept)
