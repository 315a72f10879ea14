"""Whether today's settings and images fit a run that is to go on, and what it takes from before."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from microforge.config import TrainingConfig
from microforge.errors import AnnotationError, ModelMismatchError
from microforge.tasks import Task, get_task
from microforge.tasks.abilities import network_for
from microforge.training.defaults import Plan, stride_of
from microforge.training.resume.record import RunRecord
from microforge.types import Sample

_UNCHANGED = "Model and checkpoint of the run are unchanged."
_NAMED = 3


class Asked(NamedTuple):
    """A choice that a run cannot change: what it is called, what it was, and what is asked for now (None: anything)."""

    name: str
    before: object
    now: object


def refuse_changes(record: RunRecord, config: TrainingConfig, samples: Sequence[Sample]) -> None:
    """Refuse what would need another network, other images or other random numbers than the run has.

    Raises
    ------
    ModelMismatchError
        Says what was changed from what to what.
    """
    before, network = record.config, record.network
    image = samples[0].image
    for asked in (
        Asked("task", before.task, config.task),
        Asked("seed", before.seed, config.seed),
        Asked("width", network.width, config.width),
        Asked("depth", len(network.pools), config.depth),
        Asked("normalisation", before.normalisation, config.normalisation),
        Asked("model to start from", before.start_from, config.start_from),
        Asked("grouping of images", before.group_by, config.group_by),
        Asked("number of dimensions", network.dims, image.ndim - 1),
        Asked("number of channels", network.in_channels, image.shape[0]),
    ):
        if asked.now is not None and asked.now != asked.before:
            raise ModelMismatchError(
                f"Train anew: the {asked.name} was changed from {asked.before} to {asked.now}.",
                kept=_UNCHANGED,
                remedy=f"To go on with this run, set it back to {asked.before}.",
            )


def refuse_other_images(record: RunRecord, images: Mapping[str, str]) -> None:
    """Refuse images or annotations that are not exactly those of the run.

    Raises
    ------
    ModelMismatchError
        Names the first that differ.
    """
    new, gone = images.keys() - record.images.keys(), record.images.keys() - images.keys()
    changed = {name for name in images.keys() & record.images.keys() if images[name] != record.images[name]}
    parts = [
        f"{len(names)} {what} ({', '.join(sorted(names)[:_NAMED])}{', ...' if len(names) > _NAMED else ''})"
        for what, names in (("changed", changed), ("new", new), ("missing", gone))
        if names
    ]
    if parts:
        raise ModelMismatchError(
            f"The images, annotations or groups are not those the run began with: {', '.join(parts)}.",
            kept=_UNCHANGED,
            remedy="Train anew, perhaps starting from its model, or give the images it began with.",
        )


def continued_task(record: RunRecord, config: TrainingConfig, training: Sequence[Sample]) -> Task:
    """Give the task with what was taken from the data before; classes and kinds that are new come in addition."""
    before = record.config.task_options
    changed = {
        name: value for name, value in config.task_options.items() if name not in before or before[name] != value
    }
    task = get_task(config.task).from_options({**record.task_options, **changed})
    if not any(has_new(task, sample) for sample in training):
        return task
    known, grown = task.options.model_dump(), task.fit(training).options
    return task.with_options(
        **{
            name: getattr(grown, name)
            for name, value in known.items()
            if isinstance(value, dict | tuple) and len(getattr(grown, name)) > len(value)
        }
    )


def has_new(task: Task, sample: Sample) -> bool:
    """Tell whether a sample has classes or kinds that a fitted task does not know."""
    try:
        return bool(task.without_new(sample)[1])
    except AnnotationError:
        return True


def continued_plan(record: RunRecord, config: TrainingConfig, task: Task) -> Plan:
    """Give the plan as it was by the end; sizes of patches and batches that were set anew count."""
    network = record.network
    if network.out_channels != task.out_channels:
        network = network_for(task, network.model_copy(update={"out_channels": task.out_channels}))
    patch, batch = record.patch, record.batch_size
    if config.batch_size and config.batch_size != record.config.batch_size:
        batch = config.batch_size
    stride = stride_of(network, task)
    if _patch_asked(config) != _patch_asked(record.config):
        wanted = (config.patch_depth or patch[0], *[config.patch_size or patch[-1]] * 2)[-len(patch) :]
        patch = tuple(max(n // s, 1) * s for n, s in zip(wanted, stride, strict=True))
    return Plan(network, patch, batch, stride)


def _patch_asked(config: TrainingConfig) -> tuple[Any, ...]:
    return config.patch_size, config.patch_depth
