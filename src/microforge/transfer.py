"""Between memory and device without waiting; come here for what is uploaded, and for what is read back later."""

from typing import Any

import numpy.typing as npt
import torch
from torch import Tensor


def upload(array: npt.NDArray[Any], device: torch.device) -> Tensor:
    """Give an array on a device; a GPU copies it while Python goes on, which needs pinned memory."""
    tensor = torch.from_numpy(array)
    if device.type != "cuda":
        return tensor.to(device)
    return tensor.pin_memory().to(device, non_blocking=True)


class Download:
    """Values on their way from a device, asked for as soon as they are computed; only reading them waits.

    Asked for later, they would come after all that the device was given to do since.
    """

    def __init__(self, values: Tensor) -> None:
        self._values = values
        self._copied: torch.cuda.Event | None = None
        if values.device.type == "cuda":
            self._values = torch.empty(values.shape, dtype=values.dtype, pin_memory=True)
            self._values.copy_(values, non_blocking=True)
            self._copied = torch.cuda.Event()  # type: ignore[no-untyped-call]
            self._copied.record(torch.cuda.current_stream(values.device))

    def read(self) -> npt.NDArray[Any]:
        """Give the values."""
        if self._copied is not None:
            self._copied.synchronize()
        return self._values.cpu().numpy()
