"""What a GPU makes of Microforge, in one command of less than eight minutes; prints one JSON line.

    python benchmarks/gpu.py [--device cuda] [--quick] [--only PART] [--seconds 55]

Parts: versions, tasks (each trains, predicts, and is compared with the processor), waiting (share of the time in which
the device does nothing), bare-loop (steps per second beside the least a step can be), memory (recovery under a limit),
precision (float32, bfloat16, float16). README.md tells how to read each number. On a processor it runs too, where some
numbers are null; `--quick` then takes about a minute.

Each part is a process of its own: an error of the device spoils whatever comes after it in the same process. The exit
code is 1 where a part fails; the text of its failure is in the JSON.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import torch
from gpu_memory import memory
from gpu_parts import precision, tasks
from gpu_speed import bare_loop, waiting
from gpu_tools import Given, Tree, guarded, rounded, say

import microforge
from microforge.device import compute_dtype, describe_device, device_title, free_memory

SECONDS, QUICK_SECONDS = 55.0, 8.0
#: A part that takes so many times its seconds is ended. A processor may be slow, a GPU hangs.
PATIENCE = {"cuda": 1.5, "cpu": 20.0, "mps": 5.0}


def versions(given: Given) -> Tree:
    """Say what all the other numbers were measured on."""
    device = given.device
    common = {
        "device": device_title(device),
        "why_no_gpu": describe_device().reason or None,
        "native_type": str(compute_dtype(device)).rpartition(".")[2],
        "free_memory_mb": free_memory(device) / 1e6,
        "microforge": microforge.__version__,
        "torch": torch.__version__,
        "cuda": torch.version.cuda,
        "cudnn": torch.backends.cudnn.version(),
        "python": platform.python_version(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
    }
    return {**common, **(_gpu(device) if given.is_cuda else {})}


def _gpu(device: torch.device) -> Tree:
    found = torch.cuda.get_device_properties(device)
    return {
        "compute_capability": f"{found.major}.{found.minor}",
        "multiprocessors": found.multi_processor_count,
        "total_memory_mb": found.total_memory / 1e6,
        "driver": _driver(),
        "bfloat16_native": torch.cuda.is_bf16_supported(including_emulation=False),
        "tf32_convolutions": torch.backends.cudnn.allow_tf32,
    }


def _driver() -> str | None:
    """Ask the tool that comes with the driver; torch does not tell."""
    command = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.splitlines()[0].strip() if answer.stdout else None


PARTS: dict[str, Callable[[Given], Tree]] = {
    "versions": versions,
    "tasks": tasks,
    "waiting": waiting,
    "bare-loop": bare_loop,
    "memory": memory,
    "precision": precision,
}


def in_own_process(part: str, given: Given) -> Tree:
    """Run a part in a process of its own and give its result."""
    say(part)
    command = [sys.executable, __file__, "--only", part, "--device", given.name, "--seconds", str(given.seconds)]
    limit = PATIENCE[given.device.type] * given.seconds
    try:
        answer = subprocess.run(
            [*command, *["--quick"] * given.quick], stdout=subprocess.PIPE, text=True, timeout=limit
        )
        line: Tree = json.loads(answer.stdout.splitlines()[-1])
    except subprocess.TimeoutExpired:
        return {"failure": f"It was ended after {limit:.0f} s."}
    except (IndexError, json.JSONDecodeError):
        return {"failure": f"The process ended with code {answer.returncode} and without a result."}
    return dict(line["parts"][part])


def failures(tree: Any, place: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
    """Find every failure in a result, with its place."""
    for name, value in tree.items() if isinstance(tree, dict) else ():
        if name == "failure":
            yield " / ".join(place), str(value)
        else:
            yield from failures(value, (*place, name))


def parsed(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--quick", action="store_true", help="Small networks and images: does it run at all?")
    parser.add_argument("--only", choices=[*PARTS], help="Run one part, in this process.")
    parser.add_argument("--seconds", type=float, help=f"For each part; {SECONDS:g}, or {QUICK_SECONDS:g} with --quick.")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Run the parts, print the line, give the exit code."""
    asked, begun = parsed(arguments), time.perf_counter()
    given = Given(asked.device, asked.quick, asked.seconds or (QUICK_SECONDS if asked.quick else SECONDS))
    if given.quick:
        # So small a network gains nothing from more threads, and they wait for each other on a busy machine.
        torch.set_num_threads(1)
    if asked.only:
        parts = {asked.only: guarded(lambda: PARTS[asked.only](given))}
    else:
        parts = {part: guarded(lambda name=part: in_own_process(name, given)) for part in PARTS}
    found = dict(failures(parts))
    line = {"benchmark": "gpu", "quick": given.quick, "seconds": time.perf_counter() - begun, "failures": found}
    print(json.dumps(rounded({**line, "parts": parts}), allow_nan=False), flush=True)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
