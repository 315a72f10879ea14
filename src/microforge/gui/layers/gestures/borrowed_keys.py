"""Keys that mean something else for a while, and then again what they meant before."""

from collections.abc import Callable, Mapping
from typing import Any

from app_model.types import KeyBinding

#: What has keys: a viewer, or a layer.
HasKeys = Any


class BorrowedKeys:
    """Bind keys of layers and of the viewer, and give them back."""

    def __init__(self) -> None:
        self._before: list[tuple[HasKeys, str, Callable[..., Any] | None]] = []

    def take(self, provider: HasKeys, acts: Mapping[str, Callable[[], Any]]) -> None:
        """Give keys, written as napari does, another meaning.

        A layer hears of a key before the viewer does.
        """
        for key, act in acts.items():
            self._before.append((provider, key, provider.keymap.get(KeyBinding.from_str(key))))
            provider.bind_key(key, _pressed(act), overwrite=True)

    def give_back(self) -> None:
        """Let all keys mean what they meant before."""
        for provider, key, before in reversed(self._before):
            provider.bind_key(key, before, overwrite=True)
        self._before = []


def _pressed(act: Callable[[], Any]) -> Callable[[HasKeys], None]:
    def pressed(_provider: HasKeys) -> None:
        act()

    # A function with a name: napari asks for it at every key.
    return pressed
