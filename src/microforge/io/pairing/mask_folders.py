"""A folder per image, with a mask of each object (Data Science Bowl 2018): ``ID/images/ID.png``, ``ID/masks/*.png``."""

from pathlib import Path

from microforge.io.files import is_image_name, natural_order
from microforge.io.pairing.pair import Pair

_IMAGES, _MASKS = "images", "masks"


def pairs_of_mask_folders(folder: Path) -> list[Pair]:
    """Give the image and the folder of masks of each folder in a folder; none where it is not made so."""
    found = [one for one in folder.iterdir() if (one / _IMAGES).is_dir() and (one / _MASKS).is_dir()]
    images = {one: [path for path in (one / _IMAGES).iterdir() if is_image_name(path)] for one in found}
    return [Pair(images[one][0], one / _MASKS) for one in natural_order(found) if len(images[one]) == 1]
