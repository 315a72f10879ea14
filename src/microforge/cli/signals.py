"""Ctrl-C on the command line: the first ends well, the second at once."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

#: Exit code of a command that was stopped.
STOPPED = 130


@contextmanager
def first_interrupt(action: Callable[[], None]) -> Iterator[None]:
    """Call `action` at the first Ctrl-C.

    SIGTERM, with which batch systems announce the end of a job, and SIGHUP, which a terminal sends that is closed, do
    the same, the latter not under `nohup`. A second Ctrl-C raises KeyboardInterrupt, as without this.
    """
    if threading.current_thread() is not threading.main_thread():
        # Only the main thread may set handlers.
        yield
        return
    wanted = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {number: signal.getsignal(number) for number in wanted}
    before = {
        number: handler
        for number, handler in before.items()
        if number in (signal.SIGINT, signal.SIGTERM) or handler is not signal.SIG_IGN
    }

    def handle(number: int, _: FrameType | None) -> None:
        for other, handler in before.items():
            signal.signal(other, signal.default_int_handler if other == signal.SIGINT else handler)
        if number != signal.SIGINT:
            # A terminal that is closed sends SIGHUP to each process of it, and perhaps SIGTERM too.
            signal.signal(number, signal.SIG_IGN)
        action()

    for number in before:
        signal.signal(number, handle)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
