"""How good a model is, in plain words made of its metrics; come here for the wording, and for what counts as good.

The metrics are those that a task's `summarise` gives; `Task.in_words` says which of these functions reads them. Words
are for a first look: the figures they were made of stay beside them. Figures that are no numbers count as unknown.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Literal

from microforge.answers.words import NOT_NOISE, count_text, percent

Severity = Literal["ok", "warning"]
#: Below this part of what is there found, or of what is found right, a model is not of use yet.
POOR = 0.5
#: Mean overlap (intersection over union) of objects found with true ones from which borders fit so.
FIT_WORDS = ((0.8, "well"), (0.7, "fairly well"), (0.0, "roughly"))
#: Dice from which a class of pixels is found so.
DICE_WORDS = ((0.9, "very well"), (0.75, "well"), (POOR, "partly"), (0.01, "hardly"), (0.0, "not at all"))
#: Below this similarity (SSIM, or Pearson correlation) an image is not like its target; words from how much on it is.
LEAST_LIKE = 0.6
LIKENESS_WORDS = ((0.95, "very much like"), (0.85, "much like"), (LEAST_LIKE, "roughly like"), (-1.0, "hardly like"))
#: Counts that are off by more than this part on average need a look.
FAR_OFF = 0.25
#: From this part of the mean error on, counts are said to be too high or too low rather than only off.
ONE_SIDED = 0.5


@dataclass(frozen=True)
class Quality:
    """How good a model is: in a few words, in a sentence, and whether it needs a second look."""

    brief: str
    text: str
    severity: Severity = "ok"


def plain_quality(metrics: Mapping[str, float], monitor: str) -> Quality | None:
    """Give the metric that matters as it is called, for tasks that have no words of their own."""
    known = _finite(metrics)
    return Quality(f"{monitor} {known[monitor]:.2f}", f"{monitor} {known[monitor]:.3f}") if monitor in known else None


def object_quality(metrics: Mapping[str, float]) -> Quality | None:
    """Say how many of the objects are found, how many found are none, and how borders fit.

    Models of before ``recall`` was noted have F1 only, which stands for both then.
    """
    known = _finite(metrics)
    f1 = known.get("F1@0.5")
    if f1 is None:
        return None
    found, right = known.get("recall@0.5", f1), known.get("precision@0.5", f1)
    brief = f"finds {share_text(found)} objects"
    if not found:
        return Quality(brief, f"{_sentence(brief)}.", "warning")
    fit = f"borders fit {_word(known['PQ'] / f1, FIT_WORDS)}" if "PQ" in known and f1 else ""
    parts = [part for part in (brief, false_text(1 - right), fit) if part]
    return Quality(brief, f"{_sentence('; '.join(parts))}.", _severity(min(found, right) < POOR))


def pixel_class_quality(metrics: Mapping[str, float]) -> Quality | None:
    """Say of each class how well its pixels are found."""
    dice = {name.removeprefix("Dice "): value for name, value in _finite(metrics).items() if name.startswith("Dice ")}
    if not dice:
        return None
    words = {name: _word(value, DICE_WORDS) for name, value in dice.items()}
    groups = {word: ", ".join(name for name, said in words.items() if said == word) for _, word in DICE_WORDS}
    text = "; ".join(f"{names} {word}" for word, names in groups.items() if names)
    worst = min(dice, key=lambda name: dice[name])
    brief = f"finds all {len(dice)} classes {words[worst]}" if dice[worst] >= POOR else f"finds {worst} {words[worst]}"
    return Quality(brief, f"Finds {text}.", _severity(dice[worst] < POOR))


def count_quality(metrics: Mapping[str, float]) -> Quality | None:
    """Say by how much counts are off, to which side, and how many of the points lie on a cell."""
    known = _finite(metrics)
    if "MAPE" not in known:
        return None
    brief = f"counts are off by {percent(known['MAPE'])}"
    error, bias = known.get("MAE", 0.0), known.get("bias", 0.0)
    cells = f" ({count_text(error, '')})" if error >= 0.5 else ""
    side = f", rather too {'high' if bias > 0 else 'low'}" if abs(bias) > ONE_SIDED * error else ""
    places = f"; {share_text(known['F1'])} points are on a cell" if "F1" in known else ""
    return Quality(brief, f"{_sentence(brief)}{cells} on average{side}{places}.", _severity(known["MAPE"] > FAR_OFF))


def image_class_quality(metrics: Mapping[str, float]) -> Quality | None:
    """Say how many images get their class, and which class is recognised worst."""
    known = _finite(metrics)
    if "accuracy" not in known:
        return None
    right = known["accuracy"]
    found = {name.removeprefix("found "): value for name, value in known.items() if name.startswith("found ")}
    brief = f"right for {share_text(right)} images"
    worst = min(found, key=lambda name: found[name], default="")
    weak = ""
    if worst and found[worst] < right:
        weak = f"; of those that are {worst}, for {share_text(found[worst], of=False)}"
    return Quality(brief, f"{_sentence(brief)}{weak}.", _severity(min([right, *found.values()]) < POOR))


def likeness_quality(metrics: Mapping[str, float], of: str) -> Quality | None:
    """Say how like the true image a predicted one is; `of` names the true one: its target, the real stain."""
    known = _finite(metrics)
    name = next((name for name in ("SSIM after linear fit", "SSIM", "Pearson r") if name in known), "")
    if not name:
        return None
    brief = f"{_word(known[name], LIKENESS_WORDS)} {of}"
    return Quality(brief, f"{_sentence(brief)}.", _severity(known[name] < LEAST_LIKE))


def denoising_quality(metrics: Mapping[str, float], error: str) -> Quality | None:
    """Say whether what is removed is noise, and how well hidden pixels are guessed; `error` names that metric."""
    known = _finite(metrics)
    if error not in known:
        return likeness_quality(known, "the clean image")
    alike = known.get("residual correlation", 0.0)
    brief = "what it removes looks like noise" if abs(alike) <= NOT_NOISE else "it may remove more than noise"
    guessed = f"it guesses pixels it cannot see to within {known[error]:.0f} % of the range of brightness"
    return Quality(brief, f"{_sentence(brief)}; {guessed}.", _severity(abs(alike) > NOT_NOISE))


def share_text(share: float, *, of: bool = True) -> str:
    """Say a part of things as people count them: ``9 of 10``, ``19 of 20``, ``all``, ``none``."""
    link = " of the" if of else ""
    if share <= 0:
        return f"none{link}"
    if share < 0.05:
        return f"hardly any{link}"
    if share >= 0.995:
        return "all" if share >= 1 else f"nearly all{link}"
    return "19 of 20" if share >= 0.93 else f"{max(1, min(9, round(10 * share)))} of 10"


def false_text(share: float) -> str:
    """Say which part of the objects found are none: ``1 in 20 it finds is none``."""
    if share < 0.02:
        return "all it finds are objects" if share <= 0 else "nearly all it finds are objects"
    if share > 0.3:
        return f"{round(10 * share)} in 10 it finds are none"
    return f"1 in {_rounded(1 / share)} it finds is none"


def _rounded(number: float) -> int:
    """Give a number as people say it: beyond ten by fives, beyond forty by tens."""
    step = 1 if number <= 10 else 5 if number <= 40 else 10
    return step * round(number / step)


def _finite(metrics: Mapping[str, float]) -> dict[str, float]:
    return {name: value for name, value in metrics.items() if isfinite(value)}


def _word(value: float, words: Sequence[tuple[float, str]]) -> str:
    return next((word for least, word in words if value >= least), words[-1][1])


def _severity(doubtful: bool) -> Severity:
    return "warning" if doubtful else "ok"


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:]
