"""What of a predicted image becomes layers."""

import numpy as np

from microforge.answers.shown_images import colours, shown_images
from microforge.types import Image, Prediction


def test_colours_are_those_people_expect() -> None:
    assert colours(["DAPI", "NFH", "eGFP"]) == ["blue", "cyan", "green"]
    assert colours(["", "", ""]) == ["cyan", "magenta", "yellow"]
    assert len(set(colours(["DAPI", "Hoechst", "nuclei"]))) == 3
    assert len(colours([""] * 9)) == 9


def test_a_result_like_its_source_is_one_image_and_stains_are_many() -> None:
    image = Image("a", np.zeros((2, 3, 8, 9), np.uint16), "TCYX")
    prediction = Prediction(
        image=np.ones((2, 3, 8, 9), np.float32), image_name="denoised", channel_names=("a", "b", "c")
    )
    (alike,) = shown_images(prediction, image, keeps_intensities=True)
    assert (alike.axes, alike.data.shape, alike.like_source) == ("TCYX", (2, 3, 8, 9), True)
    stains = shown_images(prediction, image, keeps_intensities=False)
    assert [(one.title, one.axes, one.data.shape) for one in stains] == [(name, "TYX", (2, 8, 9)) for name in "abc"]
    assert shown_images(Prediction(image=prediction.image), image, keeps_intensities=False) == (), (
        "a by-product of labels"
    )
