"""The doctor: what it finds and what it advises."""

import json
from typing import Any

import pytest
from typer.testing import CliRunner

from microforge.cli.app import app
from microforge.cli.commands import doctor


def test_report_is_complete_and_json() -> None:
    result = CliRunner().invoke(app, ["doctor", "--json"])
    assert result.exit_code == 0
    report = json.loads(result.stdout)
    assert set(report) == {"system", "versions", "device", "space", "screen", "advice"}
    assert report["versions"]["torch"]
    assert report["device"]["used"]
    assert report["device"]["used"].startswith("cuda") or report["device"]["remedy"] in report["advice"]


def test_report_in_words() -> None:
    result = CliRunner().invoke(app, ["doctor"])
    assert "why no GPU" in result.stdout or "cuda" in result.stdout
    assert "plugin manifest: found" in result.stdout
    assert "advice" in result.stdout


def test_missing_parts_come_with_a_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "find_spec", lambda _: None)
    monkeypatch.setattr(doctor, "_has_manifest", lambda: False)
    monkeypatch.setattr(doctor, "_display", lambda: "none")
    advice = " ".join(doctor.examine()["advice"])
    assert "napari-microforge[all]" in advice
    assert "will not list the plugin" in advice
    assert "no display" in advice


def test_little_memory_and_disk_are_told() -> None:
    advice = doctor._space_advice({"free memory": "0.5 of 8.0 GB", "free disk here": "0.1 GB"})
    assert len(advice) == 2
    assert not doctor._space_advice({"free memory": "5.0 of 8.0 GB", "free disk here": "9.0 GB"})


def test_torch_that_cannot_be_loaded_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> Any:
        raise OSError("libgomp.so.1: cannot open shared object file")

    monkeypatch.setattr("microforge.device.describe_device", broken)
    report = doctor.examine()
    assert "libgomp" in report["device"]["reason"]
    assert "Install torch again." in report["advice"]
