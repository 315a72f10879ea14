"""The page of a run as HTML: one file, no scripts, nothing from a network, every text escaped."""

import base64
import json
from collections.abc import Iterable, Mapping, Sequence
from html import escape

from microforge.errors import readable
from microforge.evaluation.object_errors import FINDING_COLOURS
from microforge.evaluation.report.contents import Contents, Example
from microforge.evaluation.report.curves import curve
from microforge.evaluation.report.methods import methods_paragraph
from microforge.evaluation.report.pictures import RIGHT

#: Rows of a table beyond which only their number is told: thousands of images make a page nobody opens.
MOST_ROWS = 300
_STYLE = """
:root { color-scheme: light dark; --soft: #8885; --accent: #3f6fd8; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin-bottom: .2rem }
h2 { font-size: 1.1rem; margin-top: 2rem; border-bottom: 1px solid var(--soft) }
.verdict { border-left: 4px solid #4aa564; padding: .3rem .8rem } .verdict.warning { border-color: #d98a00 }
table { border-collapse: collapse } td, th { padding: .15rem .8rem .15rem 0; text-align: left; vertical-align: top }
th { font-weight: 600 } td.n, th.n { text-align: right; font-variant-numeric: tabular-nums }
tr + tr td { border-top: 1px solid var(--soft) } .long { max-height: 26rem; overflow: auto }
.side { display: flex; flex-wrap: wrap; gap: 1rem } figure { margin: 0 }
figcaption { font-size: .85rem; max-width: 15rem }
img { image-rendering: pixelated; max-width: 100%; border-radius: 3px } svg { width: 460px; max-width: 100% }
svg text { font-size: 11px; fill: currentColor } .grid { stroke: var(--soft) } .best { fill: #4aa564 }
.curve { fill: none; stroke: var(--accent); stroke-width: 1.8 } pre, code { font: 13px/1.45 ui-monospace, monospace }
pre { white-space: pre-wrap; overflow-wrap: anywhere; background: #8882; padding: .6rem .8rem; border-radius: 4px }
.key span { padding-right: 1rem } .key b { display: inline-block; width: .8rem; height: .8rem; margin-right: .3rem }
"""


def page_of(run: Contents) -> str:
    """Write the page of a run."""
    name = _text(run.folder.name)
    parts = [
        f"<h1>{_text(run.title)}</h1><p>{name}{f' · {_text(run.card.created[:10])}' if run.card.created else ''}</p>",
        f'<p class="verdict {run.severity}">{_text(run.verdict)}</p>',
        "" if run.card.versus is None else f"<p>{_text(run.card.versus.text)}</p>",
        _section("At a glance", _facts(_glance(run))),
        _section("While it learnt", _curves(run)),
        _section("Examples", _examples(run.measured.examples)),
        _section("Images kept aside, the worst first", _scores(run)),
        _section("Methods, for a paper", _methods(run)),
        _section("To do it again", _again(run)),
        _section("Images", _images(run)),
        _section("Settings", _settings(run)),
    ]
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{name}</title>'
    body = f"<body>{''.join(parts)}</body>"
    return f"<!doctype html>\n<html lang=en><head>{head}<style>{_STYLE}</style></head>{body}</html>\n"


def _text(value: object) -> str:
    return escape(readable(str(value)))


def _section(title: str, content: str) -> str:
    return f"<h2>{_text(title)}</h2>{content}" if content else ""


def _glance(run: Contents) -> dict[str, str]:
    card, trained = run.card, run.card.training
    sizes = " × ".join(f"{size:.4g}" for size in card.pixel_size or ())
    return {
        "Learnt from": trained.annotated or f"{trained.images} images",
        "Kept aside": f"{trained.validation_images} image{'s' * (trained.validation_images != 1)}, to measure quality",
        "Time": f"{trained.seconds / 60:.1f} min, {trained.steps:,} steps, on {trained.device or 'an unknown device'}",
        "Quality": ", ".join(f"{name} {value:.3f}" for name, value in card.metrics.items()) or "not measured",
        "Images": f"{card.axes}, {card.network.in_channels} channel(s)" + (f", pixel size {sizes} µm" if sizes else ""),
        "Where": str(run.folder),
    }


def _facts(values: Mapping[str, str]) -> str:
    return _table((), [(name, value) for name, value in values.items()])


def _curves(run: Contents) -> str:
    name, best = run.measured.metric or "quality", None
    if run.scores:
        choose = max if run.measured.higher_is_better else min
        best = choose(run.scores, key=lambda point: point[1])
    drawn = [
        (f"{name} on images kept aside; the dot is the best", curve(run.scores, name, "steps", best)),
        ("How wrong it was on what it learnt from (loss)", curve(run.loss, "loss", "steps")),
    ]
    figures = [f"<figure>{svg}<figcaption>{_text(title)}</figcaption></figure>" for title, svg in drawn if svg]
    return f'<div class="side">{"".join(figures)}</div>' if figures else ""


def _examples(examples: Sequence[Example]) -> str:
    if not examples:
        return ""
    shown = "".join(
        f'<figure><img alt="{_text(one.title)}" src="data:image/png;base64,{_checked(one.png)}">'
        f"<figcaption>{_text(one.title)}<br>{_text(one.name)}</figcaption></figure>"
        for one in examples
    )
    colours = {"right": RIGHT, **FINDING_COLOURS}
    key = "".join(f'<span><b style="background:{colour}"></b>{name}</span>' for name, colour in colours.items())
    return f'<p class="key">{key}</p><div class="side">{shown}</div>'


def _checked(png: str) -> str:
    """Give base64 as it is, or nothing where it is none: it stands between quotes."""
    try:
        base64.b64decode(png, validate=True)
    except ValueError:
        return ""
    return png


def _scores(run: Contents) -> str:
    images = run.measured.worst_first
    if not images:
        return ""
    metric = run.measured.metric
    names = list(dict.fromkeys(([metric] if metric else []) + [name for one in images for name in one.metrics]))
    rows = ((one.name, *(_number(one.metrics.get(name)) for name in names)) for one in images)
    return f'<div class="long">{_table(("image", *names), rows, len(images))}</div>'


def _methods(run: Contents) -> str:
    text = methods_paragraph(run.card, run.title, run.measured.metric)
    return f"<p>{_text(text)}</p><p>Cite: {_text(run.card.how_to_cite)}</p>"


def _again(run: Contents) -> str:
    if not run.command:
        return "<p>The images were open in a window, or given by a script: no command line names them.</p>"
    return f"<pre>{_text(run.command)}</pre>"


def _images(run: Contents) -> str:
    trained, hashes = run.card.training, run.measured.hashes
    rows = [(name, "learnt from", hashes.get(name, "")) for name in trained.names]
    rows += [(name, "kept aside", hashes.get(name.removesuffix(" (block)"), "")) for name in trained.validation_names]
    table = _table(("image", "role", "hash of image and annotation"), rows, len(rows))
    return f'<div class="long">{table}</div><p>Hash of all learnt from: <code>{_text(trained.data_hash)}</code></p>'


def _settings(run: Contents) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in run.card.versions.items())
    task = json.dumps(run.card.task_options, indent=1)
    chosen = json.dumps(run.settings, indent=1, default=str)
    own = f"<p>Of the task, with what was taken from the data:</p><pre>{_text(task)}</pre>"
    return f"<p>Versions: {_text(versions)}</p><pre>{_text(chosen)}</pre>{own}"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]], total: int = 0) -> str:
    head = f"<tr>{''.join(f'<th>{_text(one)}</th>' for one in heads)}</tr>" if heads else ""
    written = []
    for number, row in enumerate(rows):
        if number == MOST_ROWS:
            written.append(f"<tr><td>and {total - MOST_ROWS:,} more</td></tr>")
            break
        written.append(f"<tr>{''.join(f'<td>{_text(one)}</td>' for one in row)}</tr>")
    return f"<table>{head}{''.join(written)}</table>"
