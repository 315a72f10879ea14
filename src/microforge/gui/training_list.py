"""The list of what is trained on: every annotated image with two ticks, and a folder of pairs if she likes."""

from functools import partial
from pathlib import Path

from qtpy.QtCore import QSize, QTimer
from qtpy.QtWidgets import QCheckBox, QHeaderView, QSizePolicy, QTreeWidget, QTreeWidgetItem, QVBoxLayout, QWidget

from microforge.gui.parts import Note, add_row, fold, rows
from microforge.gui.path_field import PathField
from microforge.gui.session import Annotated, Session

_USE, _VALIDATE, _NAME = 0, 1, 2
_ROWS_SHOWN, _ROW_HEIGHT = 5, 24
_TIPS = (
    "Ticked: this image takes part.",
    "Ticked: never trained on, only used to measure quality (validation). With no tick at all a part is kept aside by "
    "itself.",
    "Open images that have an annotation.",
)


class TrainingList(QWidget):  # type: ignore[misc]  # qtpy has no types
    """Choose which annotated images are trained on and which only measure quality."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self.tree = QTreeWidget()
        self.tree.setHeaderLabels(["Use", "Validate", "Image"])
        self.tree.setRootIsDecorated(False)
        self.tree.setUniformRowHeights(True)
        self.tree.setSelectionMode(QTreeWidget.SelectionMode.NoSelection)
        header = self.tree.header()
        header.setStretchLastSection(True)
        header.setSectionResizeMode(_USE, QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(_VALIDATE, QHeaderView.ResizeMode.ResizeToContents)
        for column, tip in enumerate(_TIPS):
            self.tree.headerItem().setToolTip(column, tip)
        self.nothing = Note("No image is annotated yet: start in Annotate.", "info")
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
        """Show the session's annotated images."""
        items = self.session.annotated
        self.tree.clear()
        for item in items:
            self._add_row(item)
        self.tree.setVisible(bool(items))
        self.nothing.setVisible(not items and self.session.pairs_images is None)
        shown = min(len(items), _ROWS_SHOWN)
        self.tree.setFixedHeight(self.tree.header().sizeHint().height() + _ROW_HEIGHT * shown + 8)

    def _lay_out(self) -> None:
        form = rows()
        add_row(form, "Images", self.images)
        add_row(form, "Labels", self.annotations)
        inside = QWidget()
        inside.setLayout(form)
        self.folder = fold("Also train on a folder", "Images on disk with a label image of the same name each.", inside)
        for field in (self.images, self.annotations):
            field.value_changed.connect(self._on_folders)
        page = QVBoxLayout(self)
        page.setContentsMargins(0, 0, 0, 0)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        page.addWidget(self.tree)
        page.addWidget(self.nothing)
        page.addWidget(self.folder)

    def _on_folders(self) -> None:
        images, annotations = (_only(field.value()) for field in (self.images, self.annotations))
        self.session.set_pairs(images, annotations)

    def _on_layers(self, event: object) -> None:
        if getattr(event, "type", "") == "name":
            self.refresh()

    def _add_row(self, item: Annotated) -> None:
        row = QTreeWidgetItem(["", "", item.image.name])
        row.setToolTip(_NAME, f"{item.image.name}, annotated in {item.labels.name}")
        row.setSizeHint(_NAME, QSize(0, _ROW_HEIGHT))
        self.tree.addTopLevelItem(row)
        for column, field in ((_USE, "use"), (_VALIDATE, "validation")):
            # A widget: napari's theme hardly shows the tree's own check boxes.
            box = QCheckBox()
            box.setToolTip(_TIPS[column])
            box.setChecked(getattr(item, field))
            box.toggled.connect(partial(self._on_ticked, item, field))
            self.tree.setItemWidget(row, column, box)

    def _on_ticked(self, item: Annotated, field: str, ticked: bool) -> None:
        # Later, as the list is built anew and this box deleted.
        QTimer.singleShot(0, partial(self.session.change, item, **{field: ticked}))


def _only(paths: list[Path]) -> Path | None:
    return paths[0] if paths else None
