"""Every run ends with a page that tells all of it, needs nothing else, and never costs the run."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from microforge.cli.app import app
from microforge.config import TrainingConfig
from microforge.errors import ModelFileError
from microforge.events import RunAdvice, RunFinished, StepFinished, TrainingEvent
from microforge.training.history import report
from microforge.training.history.report import write_report
from microforge.training.loop import train
from microforge.training.mailbox import Live
from microforge.types import Sample
from support.discs import disc_sample
from support.runs import of_type

HARMFUL = "<script>alert('x')</script> & \" '"


def run(folder: Path, aside: list[Sample] | None = None, command: str = "", **more: object) -> list[TrainingEvent]:
    config = TrainingConfig(device="cpu", steps=12, width=8, patch_size=32, batch_size=2)
    learnt = [disc_sample("learnt"), disc_sample(HARMFUL, seed=1)]
    return list(train(config, learnt, aside or (), folder, command=command, **more))  # type: ignore[arg-type]


def aside(count: int) -> list[Sample]:
    return [disc_sample(f"aside {k} {HARMFUL}", seed=10 + k) for k in range(count)]


class Page(HTMLParser):
    """Collects elements and texts, and sees whether all that was opened is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.texts: list[str] = []
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in ("meta", "img", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def page_in(folder: Path) -> Page:
    return Page((folder / "report.html").read_text(encoding="utf-8"))


def test_a_run_ends_with_a_page_that_tells_it(tmp_path: Path) -> None:
    events = run(tmp_path, aside(3), command="microforge train instances /images /labels")
    assert events[-1].report == tmp_path / "report.html"  # type: ignore[union-attr]
    page = page_in(tmp_path)
    told = " ".join(page.texts)
    for part in ("Segment objects", "2 images", "12 steps", "AP@0.5", "microforge train instances /images", "aside 2"):
        assert part in told
    images = [values for tag, values in page.elements if tag == "img"]
    assert len(images) == 3
    assert (tmp_path / "thumbnail.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "report.html").stat().st_size < 3_000_000


def test_nothing_in_a_page_runs_or_comes_from_elsewhere(tmp_path: Path) -> None:
    run(tmp_path, aside(2), command=HARMFUL)
    page = page_in(tmp_path)
    assert not {"script", "link", "iframe", "object", "base"} & {tag for tag, _ in page.elements}
    for _, values in page.elements:
        assert not [name for name in values if name.startswith("on")]
        assert (values.get("src") or "data:").startswith("data:")
        assert "href" not in values
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert not re.search(r"https?:|url\(|@import", text)
    assert any(HARMFUL in part for part in page.texts), "the name is told as it is"


def test_images_stand_worst_first(tmp_path: Path) -> None:
    run(tmp_path, aside(4))
    measured = json.loads((tmp_path / "measured.json").read_text())
    scores = {one["name"]: one["metrics"]["AP@0.5"] for one in measured["images"]}
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    rows = re.findall(r"<tr><td>(aside \d)[^<]*</td><td>([\d.]+)</td>", text)
    assert [float(score) for _, score in rows] == sorted(round(value, 3) for value in scores.values())
    assert len(rows) == 4


def test_a_run_without_images_kept_aside_says_so_and_shows_what_it_learnt(tmp_path: Path) -> None:
    run(tmp_path)
    told = " ".join(page_in(tmp_path).texts)
    assert "not measured" in told
    assert "no measure of quality" in told


def test_thousands_of_images_make_no_huge_page(tmp_path: Path) -> None:
    run(tmp_path, aside(1))
    path = tmp_path / "measured.json"
    measured = json.loads(path.read_text())
    measured["images"] = [{"name": f"image {k} " + "x" * 200, "metrics": {"AP@0.5": 0.5}} for k in range(20_000)]
    path.write_text(json.dumps(measured))
    write_report(tmp_path)
    assert (tmp_path / "report.html").stat().st_size < 1_000_000
    assert "and 19,700 more" in " ".join(page_in(tmp_path).texts)


@pytest.mark.parametrize("where", ["picture_of", "page_of", "atomic_write_text"])
def test_a_page_that_cannot_be_made_is_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ValueError("no room for pictures")

    monkeypatch.setattr(report, where, fail)
    events = run(tmp_path, aside(2))
    warnings = [event for event in of_type(events, RunAdvice) if event.code == "report"]
    assert [event.severity for event in warnings] == ["warning"]
    assert "no room for pictures" in warnings[0].text
    last = events[-1]
    assert isinstance(last, RunFinished)
    assert (last.report, last.model) == (None, tmp_path / "model.safetensors")


def test_a_discarded_run_leaves_no_page(tmp_path: Path) -> None:
    live, config = Live(), TrainingConfig(device="cpu", width=8, patch_size=32, batch_size=2)
    for event in train(config, [disc_sample()], (), tmp_path / "run", live):
        if isinstance(event, StepFinished):
            live.discard()
    assert not (tmp_path / "run").exists()


def test_a_new_run_in_the_folder_puts_the_page_of_the_one_before_aside(tmp_path: Path) -> None:
    run(tmp_path)
    before = (tmp_path / "report.html").read_bytes()
    run(tmp_path, aside(2))
    assert (tmp_path / "replaced" / "report.html").read_bytes() == before


def test_the_command_writes_it_again_also_for_runs_of_before(tmp_path: Path) -> None:
    run(tmp_path / "a.run", aside(2))
    for name in ("report.html", "measured.json", "log.csv"):
        (tmp_path / "a.run" / name).unlink()
    (tmp_path / "a.run" / "config.json").write_text("half {")
    for where in (tmp_path / "a.run", tmp_path / "a.run" / "model.safetensors"):
        target = tmp_path / "new folder" / f"{where.name}.html"
        result = CliRunner().invoke(app, ["report", str(where), "-o", str(target)])
        assert result.exit_code == 0, result.output
        assert "AP@0.5" in target.read_text(encoding="utf-8")


def test_a_folder_without_a_model_is_said(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="no such model"):
        write_report(tmp_path)


def test_names_that_are_not_utf8_are_told_as_far_as_they_can_be(tmp_path: Path) -> None:
    name = b"caf\xe9".decode("utf-8", "surrogateescape")
    folder = tmp_path / name
    config = TrainingConfig(device="cpu", steps=2, width=8, patch_size=32, batch_size=2)
    list(train(config, [disc_sample(name)], (disc_sample(f"aside {name}", seed=3),), folder))
    assert "caf" in (folder / "report.html").read_text(encoding="utf-8")


def test_stacks_and_large_images_are_drawn_in_part(tmp_path: Path) -> None:
    config = TrainingConfig(device="cpu", steps=2, width=8, patch_size=32, batch_size=2)
    large = disc_sample("large", seed=4, shape=(40, 1400), count=60)
    events = list(train(config, [disc_sample()], [large], tmp_path))
    assert not [event for event in of_type(events, RunAdvice) if event.code == "report"]
    assert np.isfinite(events[-1].seconds)  # type: ignore[union-attr]
