"""What the journal holds that is not in plain files yet; come here for how its records are understood."""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from microforge.project.annotations.layers import LayerChanges, StoredTile
from microforge.project.journal.record import JournalRecord, Place

#: Image and part.
PartKey = tuple[str, str]


class StoredValue(NamedTuple):
    """Points or a region in the journal, whole: number of the commit, what they are, and where."""

    sequence: int
    kind: str
    place: Place


class Changes:
    """All layers, points and regions in the journal, the newest of each."""

    def __init__(self) -> None:
        self.layers: dict[PartKey, LayerChanges] = {}
        self.values: dict[PartKey, StoredValue] = {}

    def take(self, record: JournalRecord) -> None:
        """Take a record that is newer than all before."""
        values = record.values
        kind = values.get("kind")
        if kind == "tile":
            self._take_tile(record)
        elif kind in ("points", "region"):
            self.values[values["image"], values["part"]] = StoredValue(record.sequence, str(kind), record.payload)

    def parts_of(self, image_id: str) -> set[str]:
        """Name the parts of an image."""
        return {part for own, part in (*self.layers, *self.values) if own == image_id}

    def parts(self) -> Iterable[PartKey]:
        """Give the parts of all images."""
        return [*self.layers, *self.values]

    def last(self, key: PartKey) -> int:
        """Give the number of the newest commit of a part, 0 where there is none."""
        if key in self.values:
            return self.values[key].sequence
        layer = self.layers.get(key)
        return max([layer.begun, *(tile.sequence for tile in layer.tiles.values())]) if layer else 0

    def forget(self, path: Path) -> None:
        """Let go of what was in a file of the journal that is gone."""
        for layer in self.layers.values():
            layer.tiles = {key: tile for key, tile in layer.tiles.items() if tile.place.path != path}
        self.layers = {key: layer for key, layer in self.layers.items() if layer.tiles}
        self.values = {key: value for key, value in self.values.items() if value.place.path != path}

    def _take_tile(self, record: JournalRecord) -> None:
        values = record.values
        key, axes, shape = (values["image"], values["part"]), str(values["axes"]), tuple(values["of"])
        layer = self.layers.get(key)
        if layer is None or (layer.axes, layer.shape) != (axes, shape):
            # Of another shape: what was drawn before does not fit it any more.
            layer = self.layers[key] = LayerChanges(axes, shape, 0 if layer is None else record.sequence)
        start, size = tuple(values["start"]), tuple(values["shape"])
        layer.add(StoredTile(record.sequence, start, size, record.payload))
