"""Tiled inference: run a network over an image of any size, exactly as if on the whole.

Each tile is read with a margin of half the receptive field and aligned to the network's stride, and the margin is
thrown away: what is kept was computed from exactly the pixels a whole-image run would have used. Nothing has to be
blended, and the tile size decides about memory and speed only.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional

from microforge.answers.images import BATCH_PIXELS
from microforge.config import NetworkConfig
from microforge.data.scale.seen import as_seen
from microforge.device import compute_dtype, computing_in, free_memory, is_out_of_memory, release_memory
from microforge.errors import OutOfMemoryError
from microforge.events import TileFinished
from microforge.io.model_file import ALL_POSES, Poses
from microforge.networks.fitted import GivesFeatures, PredictsTiles
from microforge.networks.unet import receptive_field
from microforge.tasks.base import Task
from microforge.transfer import Download, upload
from microforge.types import Array, ArrayLike, Floats, Window, finer_window

Output = npt.NDArray[np.float32]
#: Whether rows and columns are exchanged, then the axes that are reversed.
_Pose = tuple[bool, tuple[int, ...]]

# Margins are computed twice: small tiles waste time, in stacks most of all.
LARGEST_TILE = {2: {"cpu": 512, "gpu": 2048}, 3: {"cpu": 256, "gpu": 384}}
# Part of the free memory one tile may take, and bytes it takes per input pixel and feature of the finest level.
MEMORY_SHARE = 0.25
BYTES_PER_FEATURE = 12


@dataclass(frozen=True)
class Tile:
    """Part of an image: `read` with the margin, `keep` without; all ``(Z)YX``."""

    read: Window
    keep: Window

    @property
    def inner(self) -> Window:
        """Where the kept part lies inside the part read."""
        return tuple(slice(k.start - r.start, k.stop - r.start) for k, r in zip(self.keep, self.read, strict=True))


def plan_tiles(shape: tuple[int, ...], size: int, network: NetworkConfig) -> list[Tile]:
    """Cut an image ``(Z)YX`` into tiles of about `size` pixels a side, margins included."""
    per_axis = []
    for length, stride, field in zip(shape, network.stride, receptive_field(network), strict=True):
        margin = -(-(field // 2) // stride) * stride
        core = max(size // stride * stride - 2 * margin, stride, min(length, size) // 4 // stride * stride)
        if length <= core + 2 * margin:
            core = length
        starts = range(0, length, core)
        per_axis.append([_side(start, min(start + core, length), margin, length) for start in starts])
    return [Tile(tuple(r for r, _ in sides), tuple(k for _, k in sides)) for sides in product(*per_axis)]


def _side(start: int, stop: int, margin: int, length: int) -> tuple[slice, slice]:
    return slice(max(start - margin, 0), min(stop + margin, length)), slice(start, stop)


def choose_tile_size(network: NetworkConfig, device: torch.device) -> int:
    """Give the side of the largest useful tile that fits the free memory."""
    largest = LARGEST_TILE[network.dims]["cpu" if device.type == "cpu" else "gpu"]
    pixels = free_memory(device) * MEMORY_SHARE / (BYTES_PER_FEATURE * network.width)
    side = int(pixels ** (1 / network.dims)) // 32 * 32
    return max(64, min(largest, side))


def choose_batch_pixels(network: NetworkConfig, device: torch.device) -> int:
    """Give how many pixels of small images go through the network at once: as many as one tile may have.

    A processor gains nothing from more than its caches hold, and takes `BATCH_PIXELS`.
    """
    if device.type == "cpu":
        return BATCH_PIXELS
    return max(BATCH_PIXELS, int(choose_tile_size(network, device) ** network.dims))


class TiledNetwork:
    """A network with the activation of its task, for images of any size.

    Parameters
    ----------
    network
        In evaluation mode, on `device`.
    tile_size
        Side of the tiles in pixels; None = from the free memory.
    flips
        Average over copies that are mirrored and turned in the ways that the model has learnt.
    poses
        These ways.
    """

    def __init__(
        self,
        network: PredictsTiles,
        task: Task,
        device: torch.device,
        tile_size: int | None = None,
        *,
        flips: bool = False,
        poses: Poses = ALL_POSES,
    ) -> None:
        self.network, self.task, self.device, self.flips, self.poses = network, task, device, flips, poses
        self.tile_size = tile_size or choose_tile_size(network.config, device)
        self.batch_pixels = choose_batch_pixels(network.config, device)
        self.dtype = compute_dtype(device)
        # A processor that computes has no time to read.
        self.overlaps = device.type == "cuda"

    def run(self, image: ArrayLike, normalise: Callable[[Array], Floats]) -> Iterator[TileFinished | Output]:
        """Yield progress per tile and, last, the activated output ``C(Z)YX`` float32 of the whole image.

        Tiles are made smaller and the image begun again when memory runs out.

        Raises
        ------
        OutOfMemoryError
            If even the smallest tile does not fit.
        """
        while True:
            try:
                yield from self._run_once(image, normalise)
                return
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
            self._shrink()

    def _shrink(self) -> None:
        release_memory(self.device)
        if self.tile_size <= 64:
            raise OutOfMemoryError(
                "There is too little memory even for the smallest tile.",
                remedy="Close other programs (other GPU users too), or predict on the processor (device: cpu).",
            )
        self.tile_size //= 2

    def _run_once(self, image: ArrayLike, normalise: Callable[[Array], Floats]) -> Iterator[TileFinished | Output]:
        image = as_seen(image, self.task)
        shape = tuple(image.shape[1:])
        tiles = plan_tiles(shape, self.tile_size, self.network.config)
        config = self.network.config
        finer = (*shape[:-2], *(n * config.upscale for n in shape[-2:]))
        whole = np.empty((config.out_channels, *finer), np.float32)
        for done, (tile, output) in enumerate(self._outputs(tiles, image, normalise), start=1):
            keep, inner = (finer_window(window, config.upscale) for window in (tile.keep, tile.inner))
            whole[(slice(None), *keep)] = output[(slice(None), *inner)]
            yield TileFinished(done, len(tiles))
        yield whole

    def _outputs(
        self, tiles: Sequence[Tile], image: ArrayLike, normalise: Callable[[Array], Floats]
    ) -> Iterator[tuple[Tile, Output]]:
        """Give tiles with their outputs ``C(Z)YX``; one that overlaps is read while the one before is computed."""
        before: tuple[Tile, Output, Download] | None = None
        for tile in tiles:
            part = normalise(np.asarray(image[(slice(None), *tile.read)]))[None]
            if not self.overlaps:
                yield tile, self.forward(part)[0]
                continue
            now = tile, part, self._begin(part)
            if before is not None:
                yield before[0], self._end(*before[1:])[0]
            before = now
        if before is not None:
            yield before[0], self._end(*before[1:])[0]

    def forward(self, images: npt.NDArray[np.float32]) -> Output:
        """Run normalised images ``NC(Z)YX`` of one size at once; gives ``NC(Z)YX`` float32 on the output grid."""
        return self._end(images, self._begin(images))

    def _begin(self, images: npt.NDArray[np.float32]) -> Download:
        """Give the device all that is to be done for images; it need not be done yet."""
        with torch.inference_mode(), computing_in(self.device, self.dtype):
            x = self._padded(images)
            output = self._averaged(x) if self.flips else self._answer(x)
            return Download(output[self._inside(images)])

    def _padded(self, images: npt.NDArray[np.float32]) -> torch.Tensor:
        """Put images on the device, continued to multiples of the network's stride."""
        missing = [-n % s for n, s in zip(images.shape[2:], self.network.config.stride, strict=True)]
        x = upload(images, self.device)
        if any(missing):
            x = functional.pad(x, [n for m in reversed(missing) for n in (0, m)], mode="replicate")
        return x

    def _inside(self, images: npt.NDArray[np.float32]) -> Window:
        """Give where the answer to the images lies in that to the continued ones."""
        inside = finer_window(tuple(slice(0, n) for n in images.shape[2:]), self.network.config.upscale)
        return (slice(None), slice(None), *inside)

    def _end(self, images: npt.NDArray[np.float32], download: Download) -> Output:
        """Give the answer to images, in float32 where some number was too large for float16."""
        result: Output = download.read()
        if self.dtype == torch.float16 and not np.isfinite(result).all():
            # This network needs a larger range, now and later.
            self.dtype = torch.float32
            result = self._begin(images).read()
        return result

    def _answer(self, x: torch.Tensor) -> torch.Tensor:
        layout = torch.channels_last if x.ndim == 4 else torch.channels_last_3d
        return self.task.activate(self.network(x.contiguous(memory_format=layout)).float())

    def _averaged(self, x: torch.Tensor) -> torch.Tensor:
        """Average the answers to all copies that `poses` allows; by a right angle only square images are turned."""
        poses = _poses(self.poses, square=x.shape[-1] == x.shape[-2])
        total = torch.zeros(())
        for pose in poses:
            total = total.to(x.device) + self._posed(x, pose)
        return total / len(poses)

    def _posed(self, x: torch.Tensor, pose: _Pose) -> torch.Tensor:
        """Give the answer to a copy in another pose, turned back."""
        exchanged, axes = pose
        copy = x.transpose(-1, -2) if exchanged else x
        answer = self._answer(copy.flip(axes)).flip(axes)
        return answer.transpose(-1, -2) if exchanged else answer

    def in_poses(self, images: npt.NDArray[np.float32], most: int) -> list[Output]:
        """Give the answers to copies of images in so many of the poses that `poses` allows, each turned back.

        Parameters
        ----------
        images
            Normalised, ``NC(Z)YX``.
        most
            How many poses at most; the first answer is that to the images as they are.
        """
        poses = _poses(self.poses, square=images.shape[-1] == images.shape[-2])
        chosen = poses[:: max(1, len(poses) // most)][:most]
        with torch.inference_mode(), computing_in(self.device, self.dtype):
            x = self._padded(images)
            answers = [Download(self._posed(x, pose)[self._inside(images)]).read() for pose in chosen]
        return [np.nan_to_num(answer, posinf=0.0, neginf=0.0) for answer in answers]

    def features(self, images: npt.NDArray[np.float32]) -> Floats:
        """Give mean and spread of what the network's deepest level makes of normalised images ``NC(Z)YX``.

        Returns
        -------
        ndarray
            float32 ``(N, F)``; no columns where the model gives no features.
        """
        if not isinstance(self.network, GivesFeatures):
            return np.zeros((len(images), 0), np.float32)
        with torch.inference_mode(), computing_in(self.device, self.dtype):
            found = self.network.features(self._padded(images)).float().flatten(2)
            pooled = torch.cat([found.mean(2), found.std(2, correction=0)], dim=1)
        features: Floats = np.nan_to_num(Download(pooled).read())
        return features


def _poses(allowed: Poses, *, square: bool) -> list[_Pose]:
    """Give poses as: rows and columns exchanged or not, then reversed along some axes."""
    found: list[_Pose] = []
    for exchanged in (False, True) if square and allowed.turned else (False,):
        for reversed_axes in ((), (-1,), (-2,), (-2, -1)):
            is_mirrored = (exchanged + len(reversed_axes)) % 2 == 1
            if (allowed.mirrored or not is_mirrored) and (allowed.turned or allowed.mirrored or not reversed_axes):
                found.append((exchanged, reversed_axes))
    return found
