"""The loss of a step on its way from the device; come here for what a run reads of its steps, and when it waits."""

import torch
from torch import Tensor


class LossReading:
    """Loss of a step, and how many updates in a row were left out by then; reading waits for this step only.

    Parameters
    ----------
    loss
        Loss of the step, one number on the device.
    skipped
        Updates left out in a row, one number on the same device.
    """

    def __init__(self, loss: Tensor, skipped: Tensor) -> None:
        self._values = torch.stack([loss.float(), skipped.to(loss.device).float()])
        self._copied: torch.cuda.Event | None = None
        if self._values.device.type == "cuda":
            self._copy()

    def _copy(self) -> None:
        """Begin to copy into pinned memory: reading from the device would wait for all that was queued since."""
        values = self._values
        self._values = torch.empty(2, pin_memory=True).copy_(values, non_blocking=True)
        self._copied = torch.cuda.Event()  # type: ignore[no-untyped-call]
        self._copied.record(torch.cuda.current_stream(values.device))

    def read(self) -> tuple[float, int]:
        """Give the loss, and the number of updates left out."""
        if self._copied is not None:
            self._copied.synchronize()
        loss, skipped = self._values.tolist()
        return loss, int(skipped)
