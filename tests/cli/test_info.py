"""What `info` says of models from strangers."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from microforge.cli.app import app
from support.model_cards import write_model

STEERING = "\x1b[2Jgood\r\nmade: yesterday\x9b31m\u202etxt"


@pytest.mark.parametrize("field", ["name", "created", "how_to_cite", "channel_names"])
def test_a_card_neither_steers_the_terminal_nor_adds_lines(tmp_path: Path, field: str) -> None:
    path = write_model(tmp_path / "a.safetensors", **{field: (STEERING,) if field == "channel_names" else STEERING})
    plain = write_model(tmp_path / "b.safetensors", **{field: ("good",) if field == "channel_names" else "good"})
    told, usual = (CliRunner().invoke(app, ["info", str(one)]).stdout for one in (path, plain))
    assert r"\x1b[2Jgood\r\nmade: yesterday\x9b31m\u202etxt" in told
    assert all(sign.isprintable() or sign in "\n\u202f\xa0" for sign in told)
    assert told.count("\n") == usual.count("\n")
