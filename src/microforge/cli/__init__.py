"""The command line: `microforge train`, `predict`, `evaluate`, `info`, `tasks`, `doctor`, `demo`."""

import os
from pathlib import Path

__all__ = ["main"]


def main() -> None:
    """Run the program `microforge`."""
    _calm_threads()
    from microforge.cli.app import app
    from microforge.cli.streams import make_output_last

    make_output_last()
    app(prog_name="microforge")


def _calm_threads() -> None:
    """Settle how the threads of the numeric libraries wait and how many there are; they read it when imported.

    Threads that spin while they wait slow the others down many times where there are as many threads as cores.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    cores = _allowed_cores()
    if cores is not None:
        os.environ.setdefault("OMP_NUM_THREADS", str(cores))


def _allowed_cores() -> int | None:
    """Give the cores a container or a batch system grants, where it grants less than the machine has."""
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text(encoding="ascii").split()
    except (OSError, ValueError):
        return None
    if quota == "max":
        return None
    cores = max(1, int(quota) // int(period))
    return cores if cores < (os.cpu_count() or 1) else None
