"""What a run said and wrote: events of one type, rows of a table."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any


def of_type(events: Sequence[Any], kind: type) -> list[Any]:
    return [event for event in events if isinstance(event, kind)]


def csv_rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
