"""The documentation: links that lead somewhere, pictures that are shown."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
#: What `docs/make_figures.py` draws: on white, so that a picture serves both themes.
DRAWN = {"denoising.png", "restoration.png", "label_free.png", "super_resolution.png"}
LINK = re.compile(r"\]\(([^)\s]+)\)")


def anchors(page: Path) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for link in LINK.findall(page.read_text(encoding="utf-8")):
        if link.startswith(("http://", "https://", "mailto:")):
            continue
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        assert target.exists(), f"{page.name} links to {link}"
        if anchor:
            assert anchor in anchors(target), f"{page.name} links to {link}"


def test_every_picture_is_shown_and_has_a_light_twin() -> None:
    text = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    pictures = {path.name for path in (ROOT / "docs" / "images").glob("*.png")}
    dark = {name for name in pictures if not name.endswith("-light.png")}
    assert {name for name in dark if f"images/{name})" not in text} == set()
    assert {name.replace(".png", "-light.png") for name in dark - DRAWN} == pictures - dark


def test_twelve_questions_of_a_newcomer_lead_to_one_folder_each() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    table = text[text.index("| where would I change") :].split("\n\n")[0].splitlines()[2:]
    folders = [re.findall(r"`([\w/]+)/`", row.split("|")[2]) for row in table]
    assert len(table) == 12
    assert [len(found) for found in folders] == [1] * 12
    assert not [found for (found,) in folders if not (ROOT / "src" / "microforge" / found / "__init__.py").exists()]
