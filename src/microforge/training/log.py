"""The training log (log.csv): appended line by line."""

from pathlib import Path

from microforge.io.tables import csv_line

LOG_COLUMNS = ("step", "seconds", "loss", "steps_per_second", "metric", "value")


class History:
    """Append to ``log.csv`` in a run's folder."""

    NAME = "log.csv"

    def __init__(self, folder: Path, *, resume: bool) -> None:
        self.path = folder / self.NAME
        if not resume or not self.path.exists():
            self._write(LOG_COLUMNS, "w")

    def add(
        self, step: int, seconds: float, loss: float, rate: float, metric: str = "", value: float | None = None
    ) -> None:
        """Add a line."""
        shown = "" if value is None else f"{value:.5f}"
        self._write((step, f"{seconds:.2f}", f"{loss:.5f}", f"{rate:.2f}", metric, shown), "a")

    def _write(self, row: tuple[object, ...], mode: str) -> None:
        with self.path.open(mode, newline="", encoding="utf-8") as file:
            file.write(csv_line(row) + "\r\n")
