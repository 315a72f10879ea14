"""How long the first steps of the command line take, cold processes, best of several; prints one JSON line."""

import json
import subprocess
import sys
import time


def seconds(*command: str) -> float:
    times = []
    for _ in range(5):
        started = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        times.append(time.perf_counter() - started)
    return round(min(times), 3)


def main() -> None:
    python = sys.executable
    result = {
        "benchmark": "import_time",
        "python_seconds": seconds(python, "-c", ""),
        "import_microforge_seconds": seconds(python, "-c", "import microforge"),
        "help_seconds": seconds(python, "-m", "microforge", "--help"),
        "tasks_seconds": seconds(python, "-m", "microforge", "tasks"),
        "import_torch_seconds": seconds(python, "-c", "import torch"),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
