"""What the benchmarks share that work from the command line, as a user would: files of a split, runs, the judge."""

import argparse
import csv
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

PROGRAM = [sys.executable, "-m", "microforge"]


def parser_of(text: str | None, limit: str, kinds: Sequence[str] = ()) -> argparse.ArgumentParser:
    """Make a parser that knows the data and how to train; `text` describes the script, `limit` is the usual time."""
    parser = argparse.ArgumentParser(description=text, formatter_class=argparse.RawDescriptionHelpFormatter)
    if kinds:
        parser.add_argument("kind", choices=kinds)
    parser.add_argument("data", type=Path)
    parser.add_argument("--time", default=limit)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--set", action="append", default=[], help="NAME=VALUE, a setting of the training")
    return parser


def training_options(a: argparse.Namespace, model: Path) -> list[str]:
    """Give what `microforge train` needs beside the files."""
    settings = [f"--set={one}" for one in a.set]
    return ["--model", str(model), "--time", a.time, "--device", a.device, "--seed", str(a.seed), "--json", *settings]


def some(stems: list[str], a: argparse.Namespace) -> list[str]:
    """Give as many of the files as `--images` says, drawn by the seed; all where it is 0."""
    if not a.images:
        return stems
    return [stems[k] for k in np.random.default_rng(a.seed).choice(len(stems), a.images, replace=False)]


def names(data: Path, split: str) -> list[str]:
    """Give the stems of the files of a split."""
    with (data / "split.csv").open(newline="", encoding="utf-8") as file:
        return [Path(row["name"]).stem for row in csv.DictReader(file) if row["split"] == split]


def link(source: Path, stems: list[str], target: Path, suffix: str = ".tif") -> Path:
    """Make a folder of links to some files of another."""
    target.mkdir(parents=True)
    for stem in stems:
        (target / f"{stem}{suffix}").symlink_to((source / f"{stem}{suffix}").resolve())
    return target


def run(*arguments: str) -> tuple[str, float]:
    """Run the program; give what it printed and the seconds it took."""
    begun = time.perf_counter()
    answer = subprocess.run([*PROGRAM, *arguments], stdout=subprocess.PIPE, text=True, check=True)
    return answer.stdout, time.perf_counter() - begun


def judge(score: Path, kind: str, truth: Path, found: Path, *more: str) -> Any:
    """Let the score script judge."""
    command = [sys.executable, str(score), kind, str(truth), str(found), *more]
    return json.loads(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout)
