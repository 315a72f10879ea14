"""Folders of files that are paired by name alone, and what pairs were found."""

from pathlib import Path

from microforge.io.pairing import Pairing


def touch(folder: Path, *names: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).touch()
    return folder


def names(pairing: Pairing) -> list[tuple[str, str]]:
    return [(pair.image.name, pair.annotation.name if pair.annotation else "") for pair in pairing.pairs]
