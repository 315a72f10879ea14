"""What a run answered early on, to learn from where a person has annotated in part; come here for when and how often.

A network that sees a few things again and again learns them by heart. What its average found before is kept in the
checkpoint as weights: what is learnt from follows from them and from what is annotated, also when a run goes on.
"""

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

import numpy as np
import torch
from torch import Tensor

from microforge.data.scale.seen import on_image
from microforge.errors import OutOfMemoryError
from microforge.events import RunAdvice
from microforge.inference.tiling import TiledNetwork
from microforge.networks.fitted import PredictsTiles
from microforge.tasks import Task
from microforge.tasks.abilities import LearnsFromAnswers
from microforge.training.resume.record import fingerprints
from microforge.types import Array, Floats, Sample

#: The average is asked after so many steps: soon enough that little is known by heart.
ASKED_AT = 300
#: Larger images are left as they are: asking twice takes seconds, and is done again for each that comes.
LARGEST_ASKED = 4_500_000
#: What a person is told of it.
TOLD = RunAdvice(
    "own answers",
    "Few objects are painted. From now on the network also learns from others it finds, where it finds the same in the "
    "mirrored image. What you paint counts more: paint over what it gets wrong, with a label or as background.",
)


class OwnAnswers:
    """The network as it was when it was asked, and what it said of images that are annotated in part."""

    def __init__(self, task: Task, device: torch.device) -> None:
        self._task, self._device = task, device
        self._network: Any = None
        self._said: dict[str, tuple[str, Sample]] = {}
        self._looked_at: Sequence[Sample] = ()

    @property
    def weights(self) -> Mapping[str, Tensor]:
        """Those of the network that was asked; none before."""
        return {} if self._network is None else dict(self._network.state_dict())

    def due(self, step: int, samples: Sequence[Sample]) -> bool:
        """Tell whether it is time to ask, which is done once, and only where there is something to learn."""
        if self._network is not None or step < ASKED_AT or samples is self._looked_at:
            return False
        # Looking at all labels after every step would slow a training in which there is nothing to ask.
        self._looked_at = samples
        return any(self.is_open(sample) for sample in samples)

    def ask(self, network: PredictsTiles, weights: Mapping[str, Tensor] | None = None) -> None:
        """Keep a copy of the network, with other weights if some are given."""
        self._network, self._said = copy.deepcopy(network), {}
        if weights is not None:
            self._network.load_state_dict(dict(weights))

    def completed(self, sample: Sample, normalise: Callable[[Array], Floats]) -> Sample:
        """Give a checked sample with what is known of it by answers; as it is where there are none."""
        if self._network is None or not self.is_open(sample):
            return sample
        # Too little memory for a look costs what could be learnt from it, not the run.
        with suppress(OutOfMemoryError):
            return self._completed(sample, normalise)
        return sample

    def is_open(self, sample: Sample) -> bool:
        """Tell whether a checked sample may show more than is annotated, and can be asked about."""
        task = self._task
        return isinstance(task, LearnsFromAnswers) and sample.size <= LARGEST_ASKED and task.is_open(sample)

    def _completed(self, sample: Sample, normalise: Callable[[Array], Floats]) -> Sample:
        """Ask about an image, again only where it is another one than before."""
        assert isinstance(self._task, LearnsFromAnswers)
        image = np.asarray(sample.image)
        bare = Sample(sample.name, image, pixel_size=sample.pixel_size)
        (mark,) = fingerprints([bare]).values()
        if sample.name not in self._said or self._said[sample.name][0] != mark:
            self._said[sample.name] = mark, self._task.agreed(bare, list(self._outputs(image, normalise)))
        return self._task.completed(sample, self._said[sample.name][1])

    def _outputs(self, image: Array, normalise: Callable[[Array], Floats]) -> Iterator[Floats]:
        """Give the activated output for an image and, turned back, for the mirrored one, on its grid."""
        network = TiledNetwork(self._network, self._task, self._device)
        for step in (1, -1):
            *_, output = network.run(np.ascontiguousarray(image[..., ::step]), normalise)
            assert isinstance(output, np.ndarray)
            yield on_image(self._task, output, image.shape[1:])[..., ::step]
