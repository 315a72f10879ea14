"""Background thread: drives a generator of events and relays each to the GUI thread.

Generator workers of Qt swallow RuntimeError and leave generators unclosed; this relay does neither.
"""

import contextlib
import errno
import os
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from typing import Any

from qtpy.QtCore import QObject, Qt, Signal

from microforge.errors import MicroforgeError
from microforge.events import RunFailed

#: How much the work steps back when the processor is busy, so that painting stays fluid.
NICENESS = 5
#: Numbers of a disk or a quota that is full, and of a file that would be too large for it.
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
#: Events on their way to the GUI's thread; a run that is faster than the GUI waits rather than flood it.
MOST_WAITING = 200


class Relay(QObject):  # type: ignore[misc]  # qtpy has no types
    """Run one iterator of events at a time in a background thread.

    Signals arrive in the thread that made the relay. `finished` always comes last, also after an error, which
    arrives as a `RunFailed` event.

    Parameters
    ----------
    title
        What runs here, for messages: "a training", "a prediction".
    """

    event = Signal(object)
    finished = Signal()
    _relayed = Signal(int, object)
    _ended = Signal(int)

    def __init__(self, title: str = "a run", parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.title = title
        self._thread: threading.Thread | None = None
        self._run = 0
        self._stop = threading.Event()
        self._go = threading.Event()
        self._room = threading.Semaphore(MOST_WAITING)
        self._relayed.connect(self._on_relayed, Qt.ConnectionType.QueuedConnection)
        self._ended.connect(self._on_ended, Qt.ConnectionType.QueuedConnection)

    @property
    def running(self) -> bool:
        """Whether a run is under way; False only after `finished`."""
        return self._thread is not None

    @property
    def paused(self) -> bool:
        """Whether a run is under way and held."""
        return self.running and not self._go.is_set()

    @property
    def stopping(self) -> bool:
        """Whether a run was asked to stop and has not ended yet."""
        return self.running and self._stop.is_set()

    @property
    def stopped(self) -> bool:
        """Whether the run under way, or the last one, was asked to stop."""
        return self._stop.is_set()

    def start(self, make: Callable[[], Iterator[Any]]) -> None:
        """Call `make` in the thread, then relay what it yields.

        Raises
        ------
        MicroforgeError
            If a run is under way.
        """
        if self.running:
            raise MicroforgeError(f"There is {self.title} under way.", remedy="Stop it, or wait until it is done.")
        self._run += 1
        self._stop, self._go = threading.Event(), threading.Event()
        self._room = threading.Semaphore(MOST_WAITING)
        self._go.set()
        self._thread = threading.Thread(
            target=self._work,
            args=(make, self._run, self._stop, self._go),
            name=f"microforge {self.title}",
            daemon=True,
        )
        self._thread.start()

    def stop(self) -> None:
        """Ask the run to end: the generator is closed after its current event, in its own thread."""
        self._stop.set()
        self._go.set()

    def pause(self) -> None:
        """Do not ask for the next event until `resume`."""
        if self.running and not self._stop.is_set():
            self._go.clear()

    def resume(self) -> None:
        """Go on after `pause`."""
        self._go.set()

    def wait(self, seconds: float) -> bool:
        """Block until the thread has ended, at most so long; give whether it has. For closing, after `stop`."""
        if self._thread is None:
            return True
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def end(self, seconds: float) -> None:
        """Stop, say nothing more, and wait at most so long: for panels that close."""
        self.blockSignals(True)
        self.stop()
        self.wait(seconds)

    def _work(self, make: Callable[[], Iterator[Any]], run: int, stop: threading.Event, go: threading.Event) -> None:
        step_back()
        # Nothing may leave this thread unseen: an exception that is swallowed here is a spinner that turns for ever.
        try:
            self._drive(make, run, stop, go)
        except BaseException as error:  # noqa: BLE001
            self._send(self._relayed, run, failure_of(error))
        finally:
            self._send(self._ended, run)

    def _drive(self, make: Callable[[], Iterator[Any]], run: int, stop: threading.Event, go: threading.Event) -> None:
        events = make()
        try:
            while not stop.is_set():
                try:
                    event = next(events)
                except StopIteration:
                    return
                self._send(self._relayed, run, event)
                while not self._room.acquire(timeout=0.05) and not stop.is_set():
                    pass
                go.wait()
        finally:
            close = getattr(events, "close", None)
            if close is not None:
                close()

    def _send(self, signal: Any, *values: Any) -> None:
        # At the end of the program Qt may have deleted the receiving side already.
        with contextlib.suppress(RuntimeError):
            signal.emit(*values)

    def _on_relayed(self, run: int, event: object) -> None:
        if run == self._run:
            self._room.release()
            self.event.emit(event)

    def _on_ended(self, run: int) -> None:
        if run == self._run:
            self._thread = None
            self.finished.emit()


def failure_of(error: BaseException) -> RunFailed:
    """Give an exception as an event, in words for people, with the traceback apart."""
    details = "".join(traceback.format_exception(error))
    if isinstance(error, MicroforgeError):
        return RunFailed(error.problem, error.remedy, error.kept, error.where, details)
    if isinstance(error, MemoryError):
        return RunFailed("The memory of this computer ran out.", "Close other programs and images.", details=details)
    if isinstance(error, OSError) or "os error" in str(error):
        return RunFailed(f"The disk did not do what was asked: {error}.", _disk_remedy(error), details=details)
    first = (str(error).strip() or type(error).__name__).splitlines()[0]
    problem = f"Something unexpected went wrong: {first}"
    return RunFailed(problem, "Please report this, with the details.", details=details)


def _disk_remedy(error: BaseException) -> str:
    """Say what helps; some libraries give the number of the system's error in their text only."""
    full = getattr(error, "errno", None) in _FULL or any(f"os error {number}" in str(error) for number in _FULL)
    if full:
        return "The disk is full: free some space, then press Continue or Train."
    return "Check that the drive is connected and that you may write there."


def step_back() -> None:
    """Let the GUI's thread go first where the system has priorities per thread."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
