"""Choose regions in which every file of a batch is counted."""

from pathlib import Path
from typing import Any

from napari.layers import Image
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QSizePolicy, QWidget

from microforge.errors import MicroforgeError, NotEnoughDataError
from microforge.gui.apply.model_picker import task_of_model
from microforge.gui.layers.layer_axes import axes_of
from microforge.gui.session.drawn_regions import DrawnRegion, region_layers, regions_on
from microforge.gui.session.state import Session
from microforge.gui.widgets.basics import Note, button, stacked
from microforge.gui.widgets.path_field import PathField

REGIONS_FILTER = "Regions (*.zip *.roi *.tif *.tiff *.png);;All files (*)"
DRAWN = "drawn regions.zip"
_OF_THE_LIST = {"inserted", "removed", "name", "data"}


class FolderRegions(QWidget):  # type: ignore[misc]  # qtpy has no types
    """Choose the regions; hidden where the model finds nothing that can be counted.

    `drawn` is emitted when the user wants those drawn on an image: the panel knows the folder they are written to.
    """

    drawn = Signal()

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._counts = False
        self.field = PathField(
            "Regions (optional): a file or folder",
            "Count in regions too: ImageJ ROIs or a label image for all files, or a folder with one for each file.",
            ("folder", "files"),
            REGIONS_FILTER,
        )
        self.use = button("", "", self.drawn.emit)
        # A long name must not make the dock wider than it is.
        self.use.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.note = Note()
        stacked(self, self.field, self.use, self.note)
        session.model_changed.connect(self._on_model_changed)
        session.viewer.layers.events.connect(self._on_layers)
        self._on_model_changed(session.model_path)

    def value(self) -> Path | None:
        """Give the file or folder; None where there are no regions."""
        chosen = self.field.value()
        return chosen[0] if chosen and self._counts else None

    def write(self, folder: Path) -> None:
        """Write the regions drawn over an open image into a folder, and choose them."""
        from microforge.io.rois import write_area_rois

        regions = self._drawn()
        try:
            if not regions:
                raise NotEnoughDataError("There are no areas drawn over an image.", remedy="Draw some first.")
            folder.mkdir(parents=True, exist_ok=True)
            write_area_rois(folder / DRAWN, [(one.name, one.outline.corners[:, -2:]) for one in regions])
        except (MicroforgeError, OSError) as error:
            self.note.say(str(error), "error")
            return
        self.field.set_value([folder / DRAWN])
        names = ", ".join(one.name for one in regions[:4]) + (" …" if len(regions) > 4 else "")
        self.note.say(f"Every file is counted in {names}. The regions are kept as {DRAWN}, for Fiji too.", "ok")

    def close_down(self) -> None:
        """Let go of the viewer."""
        self._session.viewer.layers.events.disconnect(self._on_layers)

    def _drawn(self) -> tuple[DrawnRegion, ...]:
        """Give the areas over the selected image, else over the first that has some."""
        images = self._session.images()
        active = self._session.viewer.layers.selection.active
        for image in sorted(images, key=lambda layer: layer is not active):
            found = self._on(image)
            if found:
                return found
        return ()

    def _on(self, image: Image) -> tuple[DrawnRegion, ...]:
        axes = axes_of(image, self._session.axes_of(image))[0][: image.ndim]
        return regions_on(region_layers(self._session), image, axes)

    def _on_model_changed(self, path: Path | None) -> None:
        task = task_of_model(path)
        self._counts = task is not None and bool(task.answer.counted)
        self.setVisible(self._counts)
        self._offer()

    def _on_layers(self, event: Any) -> None:
        if event.type in _OF_THE_LIST and self._counts:
            self._offer()

    def _offer(self) -> None:
        names = [layer.name for layer in region_layers(self._session) if len(layer.data)]
        self.use.setVisible(bool(names))
        name = names[-1] if len(names) == 1 else "the image"
        self.use.setText(f"Use the regions of {name if len(name) < 20 else f'{name[:18]} …'}")
        self.use.setToolTip(f"Count every file in the areas of {', '.join(names)}. They are saved with the results.")
