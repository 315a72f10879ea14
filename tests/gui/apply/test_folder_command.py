"""What *Files on disk* would do can be copied as a command."""

import shlex
from pathlib import Path
from typing import Any

from qtpy.QtWidgets import QApplication

from microforge.gui.apply.panel import ApplyPanel
from microforge.gui.session.state import Session
from support.model_cards import write_model


def test_applying_to_files_is_copied_as_command(qtbot: Any, session: Session, tmp_path: Path) -> None:
    panel = ApplyPanel(session)
    qtbot.addWidget(panel)
    folder = panel.folder
    folder.copy.click()
    assert "Choose a model" in folder.message.text()
    model = write_model(tmp_path / "nuclei.safetensors")
    session.set_model(model)
    (tmp_path / "my images").mkdir()
    folder.inputs.set_value([tmp_path / "my images"])
    folder.output.set_value([tmp_path / "out"])
    folder.axes.setText("tyx")
    folder.overwrite.setChecked(True)
    folder.copy.click()
    assert shlex.split(QApplication.clipboard().text()) == [
        "microforge", "predict", str(model), str(tmp_path / "my images"), "--output", str(tmp_path / "out"),
        "--axes=TYX", "--overwrite",
    ]  # fmt: skip
