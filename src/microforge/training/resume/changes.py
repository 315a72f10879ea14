"""Images that change while a training is under way: what they change of its setup, by the role they have.

Come here when an annotation is edited during a run, or an image annotated that the run did not begin with.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from microforge.data.split import BLOCK_SUFFIX
from microforge.training.resume.record import fingerprints
from microforge.training.setup import Setup, questions
from microforge.types import Sample


@dataclass(frozen=True, eq=False)
class Changed:
    """A setup after a change; `learnt` is what is to be drawn from instead, None where the image is not learnt from."""

    setup: Setup
    learnt: Sample | None
    measures_otherwise: bool


def changed_setup(setup: Setup, sample: Sample, *, by_hand: bool) -> Changed:
    """Give the setup with an image, checked, that was changed or is new; roles stay, and what is new is learnt from.

    Parameters
    ----------
    by_hand
        Whether a person wants the image kept aside, if it is new.
    """
    split = setup.split
    if by_hand and split.role(sample) is None:
        split = split.with_aside([sample])
    split = split.with_learnt([sample])
    learnt, measured = split.training_part(sample), split.validation_part(sample)
    names = (f"{sample.name}{BLOCK_SUFFIX}",) if learnt is not None else (sample.name,)
    aside = _with(setup.aside, measured, names)
    otherwise = measured is not None or len(aside) != len(setup.aside)
    changed = replace(
        setup,
        split=split,
        training=setup.training if learnt is None else _with(setup.training, learnt, (sample.name,)),
        aside=aside,
        validation=questions(setup.task, aside) if otherwise else setup.validation,
        images={**setup.images, **fingerprints([sample])},
    )
    return Changed(changed, learnt, otherwise)


def _with(samples: Sequence[Sample], new: Sample | None, names: Sequence[str]) -> tuple[Sample, ...]:
    """Put a sample in the place of the one of these names, or at the end; None takes that one away."""
    at = next((k for k, sample in enumerate(samples) if sample.name in names), len(samples))
    return (*samples[:at], *([] if new is None else [new]), *samples[at + 1 :])
