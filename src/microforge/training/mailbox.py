"""Live changes to a running training: stop, edits of annotations, previews. No torch, no Qt."""

from dataclasses import dataclass, field
from threading import Event, Lock

from microforge.types import ArrayLike, Sample


@dataclass(frozen=True)
class PreviewRequest:
    """The image to predict every few seconds; `token` comes back with the preview.

    `whole` is the image the sample was cut from: it decides about intensities, as when the model is applied.
    """

    token: str
    sample: Sample
    whole: ArrayLike


@dataclass(eq=False)
class Live:
    """Mailbox between whoever watches a run and the run; every method may be called from any thread."""

    _lock: Lock = field(default_factory=Lock)
    _stop: Event = field(default_factory=Event)
    _discard: Event = field(default_factory=Event)
    _changed: dict[str, Sample] = field(default_factory=dict)
    _aside: set[str] = field(default_factory=set)
    _preview: PreviewRequest | None = None

    def stop(self) -> None:
        """Ask the run to end well: the model is kept."""
        self._stop.set()

    def discard(self) -> None:
        """Ask the run to end and to keep nothing."""
        self._discard.set()
        self._stop.set()

    def replace(self, sample: Sample, *, aside: bool = False) -> None:
        """Hand over a sample whose annotation has changed, or a new one; only the last of each name counts.

        A sample the run knows keeps its role: it is learnt from, or measured on. A new one is measured on where
        `aside`, else the run's split decides.
        """
        with self._lock:
            self._changed[sample.name] = sample
            (self._aside.add if aside else self._aside.discard)(sample.name)

    def set_preview(self, token: str, sample: Sample | None, whole: ArrayLike | None = None) -> None:
        """Say what is looked at, None = nothing; `whole` is the image ``C(Z)YX`` that the sample is a part of."""
        with self._lock:
            self._preview = (
                None if sample is None else PreviewRequest(token, sample, sample.image if whole is None else whole)
            )

    @property
    def stopping(self) -> bool:
        """Whether the run was asked to end."""
        return self._stop.is_set()

    @property
    def discarding(self) -> bool:
        """Whether nothing is to be kept."""
        return self._discard.is_set()

    def take_changed(self) -> list[Sample]:
        """Give the changed samples, once."""
        with self._lock:
            changed = list(self._changed.values())
            self._changed.clear()
        return changed

    def wants_aside(self, name: str) -> bool:
        """Tell whether a person wants a changed sample kept aside."""
        with self._lock:
            return name in self._aside

    def preview(self) -> PreviewRequest | None:
        """Give what is looked at."""
        with self._lock:
            return self._preview
