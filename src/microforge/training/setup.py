"""Set up a run: check annotations, split, choose defaults, encode targets."""

from collections.abc import Collection, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import ceil, prod
from pathlib import Path

import numpy as np
import torch

from microforge.config import TrainingConfig
from microforge.data.annotated_extent import annotated_extent, crop_to_annotation
from microforge.data.augment import Augmentation
from microforge.data.duplicates import Duplicate, find_duplicates
from microforge.data.normalise import Normaliser, card_for, normaliser_for
from microforge.data.patch_source import store
from microforge.data.sampler import Sampler, Source
from microforge.data.scale.seen import sample_as_seen
from microforge.data.split import BLOCK_SUFFIX, Split, group_of, make_split
from microforge.device import choose_device, free_memory
from microforge.errors import ModelFileError, NotEnoughDataError, SettingsError, readable
from microforge.events import KeptAside, Preparing, RunAdvice
from microforge.io.model_file import ModelFile, NormalisationCard, load_model
from microforge.networks.unet import network_with, receptive_field
from microforge.tasks import Task, get_task
from microforge.tasks.abilities import (
    BringsModel,
    arranged,
    augmentation_for,
    examples_of,
    hints_of,
    question_for,
    working_scale,
)
from microforge.training.advice import advice_on_data, blank_images, duplicates_told, unmeasured
from microforge.training.defaults import Plan, make_plan
from microforge.training.resume.continuing import (
    continued_plan,
    continued_task,
    has_new,
    refuse_changes,
    refuse_other_images,
)
from microforge.training.resume.record import RunRecord, fingerprints
from microforge.training.step.own_answers import OwnAnswers
from microforge.types import Sample

# Part of the free memory that all samples together may take on the device.
RESIDENT_SHARE = 0.3
# Part of what is drawn of an image that is made of it rather than real, where a task makes any.
MADE_SHARE = 2 / 3
# Validation is repeated during a run, on as much as can be predicted in a second or so.
VALIDATION_IMAGES, VALIDATION_PIXELS = 24, 3_000_000


@dataclass(frozen=True, eq=False)
class Setup:
    """What a run is made of; a changed image gives another one (`training.resume.changes`).

    Attributes
    ----------
    aside, validation
        All that is kept aside, and what of it is measured on often, as the task asks about it.
    images
        Fingerprints of what was given.
    annotated
        What is annotated on them, in words.
    record
        What is taken up again; None for a new run.
    """

    config: TrainingConfig
    task: Task
    device: torch.device
    plan: Plan
    normalisation: NormalisationCard
    split: Split
    training: tuple[Sample, ...]
    aside: tuple[Sample, ...]
    validation: tuple[Sample, ...]
    images: Mapping[str, str]
    start: ModelFile | None
    advice: tuple[RunAdvice, ...]
    record: RunRecord | None = None
    annotated: str = ""

    def record_of(self, patch: tuple[int, ...], batch_size: int, order: Sequence[str]) -> RunRecord:
        """Give what a checkpoint is to know, with the sizes and the order of drawing that there are by now."""
        return RunRecord(
            config=self.config,
            task_options=self.task.options.model_dump(mode="json"),
            network=self.plan.network,
            patch=patch,
            batch_size=batch_size,
            normalisation=self.normalisation,
            split=self.split,
            images=dict(self.images),
            aside=self.aside_images,
            order=tuple(readable(name) for name in order),
        )

    @property
    def kept_aside(self) -> KeptAside:
        """What is measured on and not learnt from."""
        return self.split.kept_aside((*self.training, *self.aside))

    def described_again(self) -> "Setup":
        """Give the setup with what is annotated by now: while painting goes on, counting it again takes too long."""
        whole = [sample for sample in self.aside if not sample.name.endswith(BLOCK_SUFFIX)]
        return replace(self, annotated=self.task.describe((*self.training, *whole)).text)

    @property
    def aside_images(self) -> dict[str, str]:
        """Fingerprints of the images that are measured on."""
        names = (readable(sample.name) for sample in self.aside)
        return {name: self.images.get(name.removesuffix(BLOCK_SUFFIX), "") for name in names}


def make_setup(
    config: TrainingConfig,
    training: Sequence[Sample],
    validation: Sequence[Sample] | None,
    record: RunRecord | None = None,
    *,
    same_images: bool = False,
    always_learnt: Collection[str] = (),
) -> Setup:
    """Check everything and choose what is open; what a `record` knows is taken from it.

    Raises
    ------
    MicroforgeError
        Of the kind that fits: unusable annotations, settings, device, or model to start from; too little data; what
        cannot be changed of a run that goes on.
    """
    if not training:
        raise NotEnoughDataError("There is no annotated image to train on.", remedy="Annotate at least one.")
    if record is not None:
        refuse_changes(record, config, training)
    task = get_task(config.task).from_options(config.task_options)
    device = choose_device(config.device)
    training, remark = arranged(task, training)
    usable, advice = _usable(task, training)
    if remark:
        advice = (RunAdvice("arranged", remark), *advice)
    by_hand = _usable(task, arranged(task, validation)[0])[0] if validation else ()
    images = fingerprints((*usable, *by_hand))
    if record is not None and same_images:
        refuse_other_images(record, images)
    readiness = task.describe(usable)
    if not readiness.ready:
        raise NotEnoughDataError(f"Training cannot start yet ({readiness.text}).", remedy=readiness.missing)
    fraction = config.validation_fraction if validation is None else 0.0
    pairs = _duplicates(config, (*usable, *by_hand)) if fraction or by_hand else ()
    if record is None:
        split, task = _begun(config, task, usable, fraction, always_learnt, pairs)
        learnt, aside = split.divide(usable)
        series = {sample.series for sample in usable}
        split, aside = split.with_aside([s for s in by_hand if s.series not in series]), (*aside, *by_hand)
    else:
        given = tuple({sample.name: sample for sample in (*by_hand, *usable)}.values())
        split = _grown(record.split, task, given, by_hand, always_learnt, pairs)
        learnt, aside = split.divide(given)
        task = continued_task(record, config, learnt)
    if not learnt:
        raise NotEnoughDataError(
            "All these images are kept aside to measure quality.",
            remedy="Annotate an image to learn from, or train anew.",
        )
    start = _start_from(config.start_from, task) if config.start_from and record is None else None
    unknown = (unmeasured(task),) if fraction and not aside else ()
    advice = (*advice, *advice_on_data(task, learnt), *task.advise(usable), *unknown, *duplicates_told(pairs, split))
    if record is not None:
        learnt = tuple(sorted(learnt, key=lambda sample: _place(record.order, readable(sample.name))))
        plan, normalisation = continued_plan(record, config, task), record.normalisation
        advice = (*advice, *_kept_roles(split, usable, by_hand))
    else:
        plan = make_plan(config, task, usable, device, start.card if start else None)
        normalisation = _normalisation(config, learnt, start)
    posed = questions(task, aside)
    made = Setup(config, task, device, plan, normalisation, split, learnt, aside, posed, images, start, advice, record)
    return replace(made, annotated=readiness.text)


def questions(task: Task, aside: Sequence[Sample]) -> tuple[Sample, ...]:
    """Give what is measured on often of all that is kept aside, as the task asks about it."""
    seen = prod(working_scale(task, aside[0].image.ndim - 1)) if aside else 1.0
    return tuple(question_for(task, sample) for sample in often_validated(aside, seen))


def _duplicates(config: TrainingConfig, samples: Sequence[Sample]) -> tuple[Duplicate, ...]:
    return find_duplicates(samples, lambda sample: group_of(sample, config.group_by))


def _groups(split: Split, pairs: Sequence[Duplicate]) -> list[tuple[str, str]]:
    return [(group_of(pair.first, split.group_by), group_of(pair.second, split.group_by)) for pair in pairs]


def _grown(
    split: Split,
    task: Task,
    given: Sequence[Sample],
    by_hand: Sequence[Sample],
    always_learnt: Collection[str],
    pairs: Sequence[Duplicate],
) -> Split:
    """Give the split of a run that goes on with the roles of images that are new."""
    split = split.with_alike(_groups(split, pairs))
    split = split.with_aside([sample for sample in by_hand if split.role(sample) is None])
    split = split.with_learnt([sample for sample in given if sample.series in always_learnt])
    return split.grown(given, task.pieces, task.enough)


def _begun(
    config: TrainingConfig,
    task: Task,
    usable: Sequence[Sample],
    fraction: float,
    always_learnt: Collection[str],
    pairs: Sequence[Duplicate],
) -> tuple[Split, Task]:
    """Split, and take what the task must know from what is learnt from alone.

    What only an image kept aside shows, such as a class, could not be learnt: such images are learnt from instead.
    """
    together = Split(roles={}, group_by=config.group_by)
    together = together.with_alike(_groups(together, pairs))
    learnt = frozenset(together.group(sample) for sample in usable if sample.series in always_learnt)
    known = {id(sample): task.pieces(sample) for sample in usable} if fraction else {}
    drawn = partial(
        make_split, usable, fraction, config.seed, group_by=config.group_by, enough=task.enough, alike=together.alike
    )
    while True:
        split = drawn(pieces=lambda sample: known[id(sample)], always_learnt=learnt)
        fitted_on = [part for sample in usable if (part := split.fitted_part(sample)) is not None]
        fitted = task.fit(fitted_on)
        ready = task.describe(fitted_on).ready
        needed = {split.group(s) for s in usable if _is_needed(fitted, split.validation_part(s), ready=ready)}
        if not needed:
            return split, fitted
        learnt |= needed


def _is_needed(task: Task, aside: Sample | None, *, ready: bool) -> bool:
    return aside is not None and (not ready or has_new(task, aside))


def _normalisation(config: TrainingConfig, learnt: Sequence[Sample], start: ModelFile | None) -> NormalisationCard:
    if start is not None and config.normalisation != "dataset":
        return start.card.normalisation
    return card_for([sample.image for sample in learnt], config.normalisation)


def _place(order: Sequence[str], name: str) -> int:
    return order.index(name) if name in order else len(order)


def _kept_roles(split: Split, usable: Sequence[Sample], by_hand: Sequence[Sample]) -> Iterator[RunAdvice]:
    """Say of which images the role asked for is not the one they have since the run began."""
    for samples, role, text in (
        (by_hand, "training", "was learnt from, so that it cannot measure quality: train anew to keep it aside."),
        (usable, "validation", "stays kept aside to measure quality: train anew to learn from it."),
    ):
        for name in dict.fromkeys(split.group(sample) for sample in samples if split.role(sample) == role):
            if role == "training" or split.fraction == 0:
                yield RunAdvice(f"role {name}", f"{name} {text}")


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


def make_sources(sample: Sample, setup: Setup, own: OwnAnswers | None = None) -> tuple[Source, ...]:
    """Encode a sample, and what the task makes of it, and put them where patches can be cut from them.

    Where something is known of it by the run's `own` answers, that is learnt from, too.
    """
    normaliser = normaliser_for(sample.image, setup.normalisation)
    whole = sample if own is None else own.completed(sample, normaliser)
    scale = working_scale(setup.task, sample.image.ndim - 1)
    seen = (ceil(n / factor) for n, factor in zip(receptive_field(setup.plan.network), scale, strict=True))
    part = crop_to_annotation(whole, tuple(seen))
    # The same of the same sample, also when a run goes on.
    rng = np.random.default_rng([setup.config.seed, *sample.name.encode("utf-8", "surrogatepass")])
    part = sample_as_seen(part, setup.task)
    made = examples_of(setup.task, part, rng)
    real = replace(_source(part, normaliser, setup), share=1 - MADE_SHARE if made else 1.0)
    return real, *(replace(_source(one, normaliser, setup), share=MADE_SHARE / len(made)) for one in made)


def _source(part: Sample, normaliser: Normaliser, setup: Setup) -> Source:
    limit = int(free_memory(setup.device) * RESIDENT_SHARE / max(len(setup.training), 1))
    target = setup.task.encode(part)
    if setup.task.keeps_intensities and isinstance(target.value, np.ndarray) and len(target.value):
        target = replace(target, value=normaliser(target.value))
    kept = store(part, target, normaliser, setup.device, limit)
    shape = tuple(part.image.shape[1:])
    return Source(part.name, kept, shape, setup.task.focus(part), annotated_extent(part))


def make_sampler(setup: Setup) -> Generator[Preparing, None, Sampler]:
    """Encode all training samples, telling progress; returns the sampler."""
    sources: list[Source] = []
    for done, sample in enumerate(setup.training, start=1):
        sources += make_sources(sample, setup)
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


def often_validated(samples: Sequence[Sample], seen: float = 1.0) -> tuple[Sample, ...]:
    """Give as many validation samples as can be predicted often; they come in random order already.

    `seen` is how many pixels the network sees for each of an image.
    """
    kept: list[Sample] = []
    pixels = VALIDATION_PIXELS / seen
    for sample in samples[:VALIDATION_IMAGES]:
        pixels -= int(np.prod(sample.image.shape[1:]))
        if kept and pixels < 0:
            break
        kept.append(sample)
    return tuple(kept)
