"""Whether a model is of use yet, in words: beside a simple method, or by how little it was trained. No torch.

Come here for what panels, command line, model cards and `predict` say of a model that has learnt too little.
"""

from microforge.events import Doubt, RunAdvice
from microforge.io.model_file import BaselineCard, ModelCard

#: Steps before which a model that starts from nothing is seldom of use.
ENOUGH_STEPS = 300
#: From this many times as many on, more steps alone will hardly help.
LONG = 8
#: Metrics that differ by this part are alike.
ALIKE = 0.02
#: How long speed is measured before it is said that too few steps fit: this part of the time, and this many seconds.
LOOK_SHARE, LOOK_SECONDS = 0.05, 3.0


def doubt_of(card: ModelCard) -> Doubt | None:
    """Say why a model is not of use yet; None where nothing speaks against it, or nothing is known of it."""
    beside = card.baseline
    if beside is None:
        return None
    if beside.value is not None and beside.metric in card.metrics:
        return _measured(card, beside, card.metrics[beside.metric], beside.value)
    few = not card.metrics and card.training.steps < beside.enough_steps
    return _unmeasured(card.training.steps, card.training.seconds, beside.enough_steps) if few else None


def _measured(card: ModelCard, beside: BaselineCard, value: float, simple: float) -> Doubt | None:
    # Of few steps more are the right advice where the model is only nearly as good.
    alike = ALIKE if card.training.steps >= beside.enough_steps else 0.0
    if is_of_use(value, simple, higher_is_better=beside.higher_is_better, symptom=beside.symptom, alike=alike):
        return None
    brief = f"not yet better than {beside.kind}"
    places = f"{beside.images} image{'s' * (beside.images != 1)} kept aside"
    steps = card.training.steps
    remedy = _remedy(steps, card.training.seconds, beside.enough_steps or ENOUGH_STEPS)
    parts = [
        f"{brief[0].upper()}{brief[1:]}: {beside.metric} {value:.3f}, {beside.kind} {simple:.3f}, "
        f"on {places} after {steps} step{'s' * (steps != 1)}.",
        f"It finds {beside.symptom}, whatever the image." if beside.symptom else "",
        remedy,
    ]
    return Doubt(brief, " ".join(part for part in parts if part), remedy)


def is_of_use(value: float, simple: float, *, higher_is_better: bool, symptom: str = "", alike: float = ALIKE) -> bool:
    """Compare a metric with a simple method's.

    As good as that, up to the part `alike`, will do unless the model finds the same (`symptom`) in every image, or
    nothing.
    """
    better_by = value - simple if higher_is_better else simple - value
    margin = alike * abs(simple)
    if value == (1.0 if higher_is_better else 0.0):
        return True
    return better_by > margin or (better_by >= -margin and not symptom and value != 0)


def _unmeasured(steps: int, seconds: float, enough: int) -> Doubt:
    remedy = _remedy(steps, seconds, enough)
    text = f"Quality was not measured, and {steps} step{'s' * (steps != 1)} are few. {remedy}"
    return Doubt("trained for a few steps only", text, remedy)


def _remedy(steps: int, seconds: float, enough: int) -> str:
    """Say how much longer to train, by the speed so far."""
    if steps >= LONG * enough:
        return "It was trained for long: look at the annotations, or annotate more images."
    wanted, few = (enough, True) if steps < enough else (2 * steps, False)
    goal = f"about {wanted} steps are usual" if few else f"try {wanted} steps"
    more = f", {duration_text((wanted - steps) * seconds / steps)} more at its speed" if steps and seconds else ""
    return f"Train longer: {goal}{more}."


def duration_text(seconds: float) -> str:
    """Give a duration as people say it: ``about 4 minutes``; never too short."""
    if seconds < 55:
        return f"about {max(10, 10 * -int(-seconds // 10))} seconds"
    minutes = max(1, -int(-seconds // 60))
    if minutes < 90:
        return f"about {minutes} minute{'s' * (minutes != 1)}"
    return f"about {seconds / 3600:.1f} hours"


class StepBudget:
    """Foresees early how many steps fit into the time set, and tells once where these are too few.

    Parameters
    ----------
    time
        Seconds of training set; None = no end is set.
    enough
        Steps that are needed; 0 = any number will do.
    """

    def __init__(self, time: float | None, enough: int) -> None:
        self.time, self.enough = time, enough
        self._first: tuple[int, float] | None = None
        self._decided = time is None or not enough

    def advice(self, step: int, seconds: float) -> RunAdvice | None:
        """Note a step made at so many active seconds; warn where the speed so far will not do."""
        if self._decided or self.time is None:
            return None
        if self._first is None:
            # The first step takes longer than the others: it is not counted.
            self._first = step, seconds
        made, passed = step - self._first[0], seconds - self._first[1]
        if made < 2 or passed < max(LOOK_SECONDS, LOOK_SHARE * self.time):
            return None
        self._decided = True
        rate = made / passed
        fitting = step + int(rate * max(self.time - seconds, 0.0))
        return self._warning(fitting, rate, seconds + (self.enough - step) / rate) if fitting < self.enough else None

    def _warning(self, fitting: int, rate: float, needed: float) -> RunAdvice:
        text = (
            f"About {fitting} steps fit into the time set, at {rate:.2g} steps/s here. A model is seldom of use before "
            f"{self.enough}: give it {duration_text(needed)}, a smaller network or patch, or a faster device."
        )
        return RunAdvice("few-steps", text, "warning")
