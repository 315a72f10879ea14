"""`Hand`: brush and tools on one Labels layer that is annotated."""

from collections.abc import Callable, Generator, Sequence
from enum import Enum
from functools import partial
from typing import Any

from napari.components import ViewerModel
from napari.layers import Labels, Layer
from psygnal import Signal

from microforge.gui.layers.gestures.key_table import CLASS_KEYS, FILL_PLANES, NEW_OBJECT, TAKE_ALL
from microforge.gui.layers.gestures.new_labels import NewLabels
from microforge.gui.layers.gestures.object_tools import JOIN, LASSO, TOOLS, Tool, change_object, join
from microforge.gui.layers.gestures.shown_labels import ShownLabels
from microforge.gui.layers.gestures.strokes import stroke

_LEFT, _RIGHT, _FLAT = 1, 2, 2
#: napari's mode while a tool of ours is in hand: clicks go to the layer, the view does not move, nothing is painted.
_HELD = "pick"


class Labelled(Enum):
    """What the labels of a layer are: objects, classes of pixels, or nothing that the goal chosen learns from."""

    OBJECTS = "objects"
    CLASSES = "classes"
    OTHERWISE = "otherwise"


class Hand:
    """What mouse and keys do on a Labels layer: strokes that know their object, outlines that fill, tools for objects.

    Parameters
    ----------
    axes
        A letter for each dimension of the layer.
    highest, say
        See `NewLabels`; `say` is told what a person should know, too.

    Attributes
    ----------
    kind
        What the labels are.
    rule
        Whether strokes choose their label by themselves.
    tool
        The tool in hand; None is the brush.
    class_wanted
        Is emitted with the place, in the list, of the class whose key is pressed.
    first_of_two
        The object that waits for the one it is to be joined with.
    asked_new
        Whether the next stroke is a new object wherever it begins.
    image
        The image that is annotated; what a network found on it can be taken.
    """

    tool_changed = Signal(object)
    planes_wanted = Signal()
    class_wanted = Signal(int)
    all_wanted = Signal()

    def __init__(
        self,
        viewer: ViewerModel,
        layer: Labels,
        axes: str,
        highest: Callable[[], int] | None = None,
        say: Callable[[str], Any] | None = None,
    ) -> None:
        self.viewer, self.layer, self.axes = viewer, layer, axes
        self.say: Callable[[str], Any] = say or (lambda text: None)
        self.numbers = NewLabels(layer, highest, self.say)
        self.kind, self.rule, self.asked_new = Labelled.OTHERWISE, True, False
        self.tool: Tool | None = None
        self.first_of_two: tuple[int, ...] = ()
        self.image: Layer | None = None
        self._borrowed = ""
        self._preserved = layer.preserve_labels
        viewer.mouse_drag_callbacks.append(self._on_right_press)
        layer.mouse_drag_callbacks.insert(0, self._on_press)
        layer.events.paint.connect(self._on_painted)
        layer.events.mode.connect(self._on_mode)

    def serve(self, kind: Labelled) -> None:
        """Say what the labels are: of objects neighbours keep their pixels, and there are more tools and keys."""
        if kind is self.kind:
            return
        was, self.kind = self.kind, kind
        if self.objects:
            self._preserved = self.layer.preserve_labels
        if self.objects or was is Labelled.OBJECTS:
            self.layer.preserve_labels = self.objects or self._preserved
        for tool in TOOLS:
            self._bind(tool.key, partial(self.use_key, tool) if self.has(tool) else None)
        self._bind(NEW_OBJECT.key, self.take_new if self.objects else None)
        self._bind(FILL_PLANES.key, self.planes_wanted.emit if self.objects else None)
        self._bind(TAKE_ALL.key, self.all_wanted.emit if self.objects else None)
        for place, key in enumerate(CLASS_KEYS):
            self._bind(key, partial(self.class_wanted.emit, place) if kind is Labelled.CLASSES else None)
        if self.tool is not None and not self.has(self.tool):
            self.take_up(None)

    @property
    def objects(self) -> bool:
        """Whether every object has a label of its own."""
        return self.kind is Labelled.OBJECTS

    def has(self, tool: Tool) -> bool:
        """Whether a tool is of use for such labels."""
        return self.objects or (self.kind is Labelled.CLASSES and tool.of_classes)

    def detach(self) -> None:
        """Leave layer and viewer as they were found."""
        self.take_up(None)
        self.serve(Labelled.OTHERWISE)
        self.viewer.mouse_drag_callbacks.remove(self._on_right_press)
        self.layer.mouse_drag_callbacks.remove(self._on_press)
        self.layer.events.paint.disconnect(self._on_painted)
        self.layer.events.mode.disconnect(self._on_mode)

    def shown(self, position: Sequence[float], displayed: Sequence[int]) -> ShownLabels:
        """Give the labels on the screen."""
        return ShownLabels(self.layer, self.axes, position, displayed)

    def take_up(self, tool: Tool | None) -> None:
        """Take a tool in hand, or the brush again."""
        if tool is self.tool:
            return
        self.tool, self.first_of_two = tool, ()
        if tool is not None or self.layer.mode == _HELD:
            self.layer.mode = "paint" if tool is None else _HELD
        self.tool_changed.emit(tool)

    def take_new(self) -> None:
        """Make the next stroke a new object, wherever it begins."""
        self.asked_new = bool(self.numbers.take())

    def use_key(self, tool: Tool) -> None:
        """Use a tool on the object under the mouse, or take it in hand; its key once more puts it down again."""
        shown, at = self._under_mouse()
        if at and tool.change is not None:
            change_object(self, shown, at, tool.change)
            return
        self.take_up(None if tool is self.tool else tool)
        if at and self.tool is JOIN:
            self.first_of_two = join(self, shown, (), at)

    def _under_mouse(self) -> tuple[ShownLabels, tuple[int, ...]]:
        shown = self.shown(self.viewer.cursor.position, self.viewer.dims.displayed)
        over = self.viewer.mouse_over_canvas and self.viewer.dims.ndisplay == _FLAT
        return shown, shown.on_object(self.viewer.cursor.position) if over else ()

    def _on_press(self, layer: Labels, event: Any) -> Generator[None, None, None]:
        if len(event.dims_displayed) != _FLAT:
            return
        if self._borrowed:
            yield from self._right_drag(event)
        elif self.tool is not None and layer.mode == _HELD and event.button == _LEFT:
            yield from self.tool.gesture(self, event)
        elif self.objects and event.button == _LEFT:
            yield from self._brush(layer, event)

    def _brush(self, layer: Labels, event: Any) -> Generator[None, None, None]:
        if layer.mode == "erase" or (layer.mode == "paint" and layer.selected_label == 0):
            yield from self._erase(layer, event)
        elif layer.mode == "paint" and self.rule:
            yield from stroke(self, layer, event)

    def _erase(self, layer: Labels, event: Any) -> Generator[None, None, None]:
        """Erase whatever is under the eraser: napari would keep all labels but the one in hand."""
        kept, layer.preserve_labels = layer.preserve_labels, False
        yield
        while event.type == "mouse_move":
            yield
        layer.preserve_labels = kept

    def _on_right_press(self, viewer: ViewerModel, event: Any) -> None:
        """Hand the lasso over for a drag with the right button, before the layer hears of it and would paint."""
        active, flat = viewer.layers.selection.active, len(event.dims_displayed) == _FLAT and self.has(LASSO)
        if event.button == _RIGHT and flat and active is self.layer and self.layer.mode in ("paint", _HELD):
            self._borrowed = str(self.layer.mode)
            self.layer.mode = _HELD

    def _right_drag(self, event: Any) -> Generator[None, None, None]:
        yield from LASSO.gesture(self, event)
        self.layer.mode, self._borrowed = self._borrowed, ""

    def _on_painted(self, _event: Any) -> None:
        self.numbers.painted()
        if self.objects and self.rule and self.layer.mode == "polygon":
            self.numbers.take()

    def _on_mode(self, _event: Any) -> None:
        """Put the tool down where napari's own are taken up; what only moves the view leaves it in hand."""
        if self.tool is not None and not self._borrowed and self.layer.mode not in (_HELD, "pan_zoom"):
            self.tool, self.first_of_two = None, ()
            self.tool_changed.emit(None)

    def _bind(self, key: str, does: Callable[[], Any] | None) -> None:
        def pressed(_layer: Labels) -> None:
            assert does is not None
            does()

        # A function with a name: napari asks for it at every key.
        self.layer.bind_key(key, None if does is None else pressed, overwrite=True)
