"""List of the training data: images to use, to validate on, and folders."""

from functools import partial
from itertools import takewhile

from qtpy.QtCore import QSignalBlocker, QSize, Qt, QTimer
from qtpy.QtWidgets import QHeaderView, QSizePolicy, QTreeWidget, QTreeWidgetItem, QWidget

from microforge.events import AsidePart
from microforge.gui.session.annotated_image import Annotated
from microforge.gui.session.annotations import ListWords, window_annotation
from microforge.gui.session.state import Session
from microforge.gui.widgets.basics import Note, collapsible, plain_tip, rows, stacked, tick
from microforge.gui.widgets.look.steps import Steps
from microforge.gui.widgets.path_field import PathField

_USE, _ASIDE, _NAME, _TARGET = 0, 1, 2, 3
_ROWS_SHOWN, _ROW_HEIGHT = 5, 24
_STEPS = (
    ("step-paint", "Say in <b>Annotate</b> what is in an image: a few of its objects are enough to begin with."),
    ("step-watch", "Press <b>Train</b> here, and watch on your image how the network learns."),
    ("step-stop", "Press <b>Stop</b> when it looks right: the model is kept, and you can go on any time."),
)
_TIPS = (
    "Ticked: this image takes part.",
    "Ticked: kept aside. It is not learnt from, but tells how good the network is. With no tick of yours a part is "
    "drawn when a training begins, if enough is annotated, and marked auto; take the tick away to learn from it. "
    "Those marked test are left for a test of the finished model.",
    "Open images to learn from.",
    "What belongs to the image.",
)


class TrainingList(QWidget):  # type: ignore[misc]  # qtpy has no types
    """Choose which images are trained on and which only measure quality."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self._items: list[Annotated] = []
        self.tree = QTreeWidget()
        self.tree.setHeaderLabels(["Use", "Aside", "Image", "Target"])
        self.tree.setRootIsDecorated(False)
        self.tree.setUniformRowHeights(True)
        self.tree.setSelectionMode(QTreeWidget.SelectionMode.NoSelection)
        header = self.tree.header()
        # A scroll bar would cover the last line.
        self.tree.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        header.setStretchLastSection(False)
        header.setSectionResizeMode(_NAME, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(_TARGET, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(_USE, QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(_ASIDE, QHeaderView.ResizeMode.ResizeToContents)
        for column, tip in enumerate(_TIPS):
            self.tree.headerItem().setToolTip(column, tip)
        self.steps = Steps(*_STEPS)
        self.nothing = Note(severity="info")
        self.images = PathField("Folder of images", "Images on disk that are trained on as well.")
        self.annotations = PathField("Folder of annotations", "Label images of the same names.")
        self._lay_out()
        session.changed.connect(self.refresh)
        session.viewer.layers.events.connect(self._on_layers)
        self.refresh()

    def close_down(self) -> None:
        """Let go of the viewer."""
        self.session.viewer.layers.events.disconnect(self._on_layers)

    def refresh(self) -> None:
        """Show the images that the task chosen can learn from."""
        items, entry = self.session.items, window_annotation(self.session.kind)
        self._show_words(entry.words)
        self.tree.setColumnHidden(_TARGET, not entry.column)
        self.tree.headerItem().setText(_TARGET, entry.column)
        self._show_items(items)
        self.tree.setVisible(bool(items))
        for words in (self.steps, self.nothing):
            words.setVisible(not items and not self.session.has_folder)
        shown = min(len(items), _ROWS_SHOWN)
        self.tree.setFixedHeight(self.tree.header().sizeHint().height() + _ROW_HEIGHT * shown + 8)

    def _lay_out(self) -> None:
        self._rows = rows(("Images", self.images), ("Labels", self.annotations))
        inside = QWidget()
        inside.setLayout(self._rows)
        self.folder = collapsible("Also train on a folder", window_annotation(self.session.kind).words.tip, inside)
        for field in (self.images, self.annotations):
            field.value_changed.connect(self._on_folders)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        stacked(self, self.steps, self.tree, self.nothing, self.folder)

    def _show_words(self, words: ListWords) -> None:
        self.nothing.setText(words.nothing)
        self._rows.setRowVisible(self.annotations, bool(words.partner))
        self._rows.labelForField(self.annotations).setText(words.partner)
        self.annotations.ask_for(words.folder, words.partner_tip, words.kinds)
        self.folder.setToolTip(words.tip)

    def _on_folders(self) -> None:
        images = self.images.value()
        self.session.set_pairs(images[0] if images else None, *self.annotations.value())

    def _on_layers(self, event: object) -> None:
        if getattr(event, "type", "") == "name":
            self.refresh()

    def _show_items(self, items: list[Annotated]) -> None:
        """Bring the rows up to date; those that stay are not made anew, as there may be hundreds."""
        same = sum(1 for _ in takewhile(lambda pair: pair[0] is pair[1], zip(self._items, items, strict=False)))
        while self.tree.topLevelItemCount() > same:
            self.tree.takeTopLevelItem(same)
        for item in items[same:]:
            self._add_row(item)
        self._items = items
        for number, item in enumerate(items):
            self._fill(self.tree.topLevelItem(number), item)

    def _add_row(self, item: Annotated) -> None:
        row = QTreeWidgetItem()
        row.setSizeHint(_NAME, QSize(0, _ROW_HEIGHT))
        self.tree.addTopLevelItem(row)
        for column, on in ((_USE, self._on_use), (_ASIDE, self._on_aside)):
            # A widget: napari's theme hardly shows the tree's own check boxes.
            box = tick("", _TIPS[column])
            # Later, as the row of this box may be taken away.
            box.toggled.connect(lambda ticked, on=on: QTimer.singleShot(0, partial(on, item, ticked)))
            self.tree.setItemWidget(row, column, box)

    def _fill(self, row: QTreeWidgetItem, item: Annotated) -> None:
        belongs = window_annotation(self.session.kind).name_of(item)
        row.setText(_NAME, item.image.name)
        row.setText(_TARGET, belongs)
        row.setToolTip(
            _NAME, plain_tip(", ".join(layer.name for layer in (item.image, item.labels) if layer is not None))
        )
        row.setToolTip(_TARGET, plain_tip(belongs))
        aside = None if item.always_learnt else item.kept_aside
        for column, ticked in ((_USE, item.use), (_ASIDE, item.tests or aside is not None)):
            box = self.tree.itemWidget(row, column)
            blocked = QSignalBlocker(box)
            box.setChecked(ticked)
            blocked.unblock()
        self.tree.itemWidget(row, _ASIDE).setText("test" if item.tests else _words_of(aside))

    def _on_use(self, item: Annotated, ticked: bool) -> None:
        self.session.change(item, use=ticked)

    def _on_aside(self, item: Annotated, ticked: bool) -> None:
        was_drawn = item.drawn_aside is not None
        self.session.change(item, validation=ticked, always_learnt=not ticked and was_drawn, tests=False)
        if item.always_learnt:
            self.session.say(f"{item.image.name} is learnt from when you train anew.")


def _words_of(aside: AsidePart | None) -> str:
    """Say who keeps an image aside, and whether all of it."""
    if aside is None or aside.by_hand:
        return ""
    return "auto" if aside.axis is None else "auto: a part"
