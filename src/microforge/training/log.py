"""The training log (log.csv): appended line by line, and read back as curves."""

import csv
from math import isfinite, nan
from pathlib import Path

from microforge.io.tables import csv_line
from microforge.training.history.run_folder import LOG_NAME

LOG_COLUMNS = ("step", "seconds", "loss", "steps_per_second", "metric", "value")


class History:
    """Append to ``log.csv`` in a run's folder."""

    NAME = LOG_NAME

    def __init__(self, folder: Path, *, resumed_at: int | None = None) -> None:
        self.path = folder / self.NAME
        #: Why the log is not kept any more; empty while it is. A log is no reason to end a training.
        self.problem = ""
        kept = [] if resumed_at is None else self._lines_until(resumed_at)
        self._write("".join([csv_line(LOG_COLUMNS) + "\r\n", *kept]), "w")

    def add(
        self, step: int, seconds: float, loss: float, rate: float, metric: str = "", value: float | None = None
    ) -> None:
        """Add a line."""
        shown = "" if value is None else f"{value:.5f}"
        self._write(csv_line((step, f"{seconds:.2f}", f"{loss:.5f}", f"{rate:.2f}", metric, shown)) + "\r\n", "a")

    def _lines_until(self, step: int) -> list[str]:
        """Give the whole lines of steps that the checkpoint has; those after it will be made again."""
        try:
            lines = self.path.read_bytes().decode("utf-8", "replace").splitlines(keepends=True)[1:]
        except OSError:
            return []
        first = [line.partition(",")[0] for line in lines]
        return [
            line
            for line, number in zip(lines, first, strict=True)
            if line.endswith("\n") and number.isdecimal() and int(number) <= step
        ]

    def _write(self, text: str, mode: str) -> None:
        try:
            with self.path.open(mode, newline="", encoding="utf-8") as file:
                file.write(text)
        except OSError as error:
            self.problem = self.problem or f"{self.path} cannot be written ({error.strerror or error})"


StepCurve = list[tuple[float, float]]


def read_curves(folder: Path) -> tuple[StepCurve, StepCurve]:
    """Give the loss and the scores over the steps from the log of a run; none where it has no log.

    Lines that a killed run has left half written are passed over.
    """
    try:
        with (folder / History.NAME).open(newline="", encoding="utf-8", errors="replace") as file:
            rows = [[_number(row.get(name)) for name in ("step", "loss", "value")] for row in csv.DictReader(file)]
    except (OSError, csv.Error):
        return [], []
    losses = [(step, loss) for step, loss, value in rows if isfinite(step) and isfinite(loss) and not isfinite(value)]
    return losses, [(step, value) for step, _, value in rows if isfinite(step) and isfinite(value)]


def _number(text: str | None) -> float:
    try:
        return nan if text is None else float(text)
    except ValueError:
        return nan
