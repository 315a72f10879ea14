"""Models that earlier versions wrote: they load, whatever settings are called by now, and say the same."""

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from microforge.cli.app import app
from microforge.config import TrainingConfig
from microforge.errors import SettingsError
from microforge.inference.predictor import Predictor
from microforge.tasks import get_task

#: Trained for three steps on eleven simulated stacks by version 0.1.0, when options had their first names.
COUNTING = Path(__file__).parent / "models" / "counting_0_1.safetensors"


def test_options_are_found_under_their_first_names() -> None:
    options = Predictor(COUNTING).task.options
    assert options.anisotropy == (4.0, 1.0, 1.0)
    assert options.area_per_point == 200.0


def test_an_old_model_says_what_it_said() -> None:
    _, y, x = np.mgrid[:3, :24, :24]
    image = (100 + 50 * np.sin(y / 3) * np.sin(x / 3)).astype(np.float32)
    predicted = Predictor(COUNTING).predict(image, axes="ZYX")
    assert predicted.statistics["count cell"] == pytest.approx(0.08455732, rel=0.02)  # bfloat16 on some processors
    assert predicted.statistics["high cell"] == pytest.approx(6.05336, rel=0.02)


def test_first_names_are_understood_in_settings_too() -> None:
    options = get_task("counting").from_options({"steps": [2.0, 1.0]}).options
    assert options.anisotropy == (2.0, 1.0)
    config = TrainingConfig(task="counting", task_options={"room": 3.0})
    assert get_task("counting").from_options(config.task_options).options.area_per_point == 3.0


def test_names_that_never_were_are_still_refused() -> None:
    with pytest.raises(SettingsError, match="stairs"):
        get_task("counting").from_options({"stairs": 1})


def test_what_was_found_in_the_data_is_not_told_as_a_choice() -> None:
    told = CliRunner().invoke(app, ["info", str(COUNTING)]).output
    assert "settings: empty left out, unclicked background, confidence 0.0\n" in told
