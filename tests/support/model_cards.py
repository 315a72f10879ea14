"""Model files that hold a card and no weights: enough for panels that only read what a model is."""

import json
import struct
from pathlib import Path
from typing import Any

from microforge.config import NetworkConfig
from microforge.io.model_file import ModelCard


def write_model(path: Path, **card: Any) -> Path:
    """Write a card; `card` replaces fields of one of objects."""
    values = {"task": "instances", "network": NetworkConfig(), "metrics": {"AP": 0.8}} | card
    text = json.dumps({"__metadata__": {"microforge": ModelCard(**values).model_dump_json()}}).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text)
    return path
