import threading
import time
from collections.abc import Iterator

import pytest
from pytestqt.qtbot import QtBot

from microforge.errors import MicroforgeError, NotEnoughDataError
from microforge.events import RunFailed
from microforge.gui.session.background import MOST_WAITING, Relay


@pytest.fixture
def relay(qtbot: QtBot) -> Iterator[Relay]:
    relay = Relay("a training")
    yield relay
    relay.stop()
    assert relay.wait(5)


def run(qtbot: QtBot, relay: Relay, make: object) -> list[object]:
    events: list[object] = []
    relay.event.connect(events.append)
    with qtbot.waitSignal(relay.finished, timeout=5000):
        relay.start(make)  # type: ignore[arg-type]
    return events


def test_relays_every_event_in_order(qtbot: QtBot, relay: Relay) -> None:
    assert run(qtbot, relay, lambda: iter(range(1000))) == list(range(1000))
    assert not relay.running


def test_slots_run_in_the_thread_of_the_gui(qtbot: QtBot, relay: Relay) -> None:
    threads: set[str] = set()
    relay.event.connect(lambda event: threads.update((event, threading.current_thread().name)))
    run(qtbot, relay, lambda: iter([threading.current_thread().name]))
    assert threads == {"microforge a training", threading.main_thread().name}


@pytest.mark.parametrize("error", [RuntimeError("CUDA out of memory"), ValueError("x"), SystemExit(1), MemoryError()])
def test_no_exception_is_swallowed(qtbot: QtBot, relay: Relay, error: BaseException) -> None:
    def fail() -> Iterator[int]:
        yield 1
        raise error

    events = run(qtbot, relay, fail)
    assert events[0] == 1
    assert isinstance(events[1], RunFailed)
    assert events[1].problem
    assert type(error).__name__ in events[1].details


def test_own_errors_keep_their_parts(qtbot: QtBot, relay: Relay) -> None:
    def fail() -> Iterator[int]:
        raise NotEnoughDataError("Too little.", where="cells", kept="All.", remedy="Paint.")

    (event,) = run(qtbot, relay, fail)
    assert event == RunFailed("Too little.", "Paint.", "All.", "cells", event.details)  # type: ignore[attr-defined]


def test_stop_closes_the_generator_in_its_own_thread(qtbot: QtBot, relay: Relay) -> None:
    closed: list[str] = []

    def forever() -> Iterator[int]:
        try:
            while True:
                time.sleep(0.001)
                yield 0
        finally:
            closed.append(threading.current_thread().name)

    relay.event.connect(relay.stop)
    assert run(qtbot, relay, forever)
    assert closed == ["microforge a training"]


def test_an_error_while_closing_is_shown(qtbot: QtBot, relay: Relay) -> None:
    def forever() -> Iterator[int]:
        try:
            yield 0
            time.sleep(0.05)
            yield 0
        finally:
            raise OSError("disk full")

    relay.event.connect(relay.stop)
    assert any(isinstance(event, RunFailed) and "disk full" in event.problem for event in run(qtbot, relay, forever))


def test_pause_holds_and_resume_goes_on(qtbot: QtBot, relay: Relay) -> None:
    def steps() -> Iterator[int]:
        while True:
            time.sleep(0.001)
            yield 0

    events: list[object] = []
    relay.event.connect(events.append)
    relay.start(steps)
    qtbot.waitUntil(lambda: len(events) > 3)
    relay.pause()
    assert relay.paused
    qtbot.wait(50)
    held = len(events)
    qtbot.wait(100)
    assert len(events) == held
    relay.resume()
    qtbot.waitUntil(lambda: len(events) > held)
    relay.pause()
    with qtbot.waitSignal(relay.finished):
        relay.stop()


def test_second_start_is_refused(qtbot: QtBot, relay: Relay) -> None:
    def steps() -> Iterator[int]:
        while True:
            time.sleep(0.001)
            yield 0

    relay.start(steps)
    with pytest.raises(MicroforgeError, match="a training under way"):
        relay.start(steps)
    with qtbot.waitSignal(relay.finished):
        relay.stop()
    assert run(qtbot, relay, lambda: iter([7]))[-1] == 7


def test_no_thread_is_left_after_many_runs(qtbot: QtBot, relay: Relay) -> None:
    before = threading.active_count()
    for _ in range(50):
        run(qtbot, relay, lambda: iter([1]))
    # The last thread may need a moment to end; threads of other tests may end meanwhile, none of ours may be added.
    qtbot.waitUntil(lambda: threading.active_count() <= before)


def test_a_run_that_is_too_fast_waits_for_the_gui(qtbot: QtBot, relay: Relay) -> None:
    made, seen = [0], [0]
    behind: list[int] = []

    def many() -> Iterator[int]:
        for made[0] in range(2000):
            yield made[0]

    def slow(event: object) -> None:
        seen[0] += 1
        behind.append(made[0] - seen[0])

    relay.event.connect(slow)
    run(qtbot, relay, many)
    assert seen == [2000]
    assert max(behind) <= MOST_WAITING + 1
