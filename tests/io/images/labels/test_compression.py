"""Label files whose compression changes numbers are refused by its name; the same kinds without loss are read."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from tests.support.discs import draw_discs

from microforge.errors import AnnotationError
from microforge.io.images import read_labels

LABELS = (draw_discs((128, 128), 12)[1] * 10).astype(np.uint8)
COLOURS = np.repeat(LABELS[..., None], 3, -1)
WITHOUT_LOSS: list[dict[str, Any]] = [
    {"compression": "jpeg", "compressionargs": {"lossless": True}},
    {"compression": "jpeg2000"},
    {"compression": "lerc"},
    {"compression": "lerc", "compressionargs": {"level": 0, "compression": "zstd"}},
    {"compression": "jpegxl"},
    {"compression": "lzw"},
    {"compression": "zstd", "predictor": True},
]
WITH_LOSS: list[tuple[str, dict[str, Any]]] = [
    ("JPEG", {"compression": "jpeg", "compressionargs": {"level": 100}}),
    ("JPEG", {"compression": "jpeg", "tile": (64, 64)}),
    ("JPEG 2000", {"compression": "jpeg2000", "compressionargs": {"level": 40, "reversible": False}}),
    ("LERC", {"compression": "lerc", "compressionargs": {"level": 3}}),
    ("LERC", {"compression": "lerc", "compressionargs": {"level": 3, "compression": "zstd"}}),
    ("LERC", {"compression": "lerc", "compressionargs": {"level": 3, "compression": "deflate"}}),
]


@pytest.mark.parametrize("how", WITHOUT_LOSS, ids=lambda how: how["compression"])
def test_compression_without_loss_is_read(tmp_path: Path, how: dict[str, Any]) -> None:
    tifffile.imwrite(tmp_path / "a.tif", LABELS, **how)
    np.testing.assert_array_equal(read_labels(tmp_path / "a.tif").data, LABELS)


@pytest.mark.parametrize(("name", "how"), WITH_LOSS, ids=lambda one: one if isinstance(one, str) else "")
def test_compression_with_loss_is_refused_by_name(tmp_path: Path, name: str, how: dict[str, Any]) -> None:
    tifffile.imwrite(tmp_path / "a.tif", LABELS, **how)
    with pytest.raises(AnnotationError, match=f"compressed with {name}") as raised:
        read_labels(tmp_path / "a.tif")
    assert "LZW" in raised.value.remedy


@pytest.mark.parametrize("lossless", [True, False])
def test_webp_is_refused_where_it_loses(tmp_path: Path, lossless: bool) -> None:
    arguments = {"lossless": lossless, "level": None if lossless else 60}
    tifffile.imwrite(tmp_path / "a.tif", COLOURS, photometric="rgb", compression="webp", compressionargs=arguments)
    if lossless:
        np.testing.assert_array_equal(read_labels(tmp_path / "a.tif").data, LABELS)
    else:
        with pytest.raises(AnnotationError, match="compressed with WebP"):
            read_labels(tmp_path / "a.tif")
