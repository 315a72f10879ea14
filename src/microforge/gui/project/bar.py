"""The line below the strip: the project's name and menu, whether all is saved, and what is not."""

from collections.abc import Callable
from pathlib import Path

from qtpy.QtCore import Qt, QUrl
from qtpy.QtGui import QDesktopServices
from qtpy.QtWidgets import QFileDialog, QMenu, QSizePolicy, QToolButton, QWidget

from microforge.gui.project.go_on import GoOn
from microforge.gui.session.opening.project_opening import ProjectOpening
from microforge.gui.session.saving.autosave import Autosave
from microforge.gui.session.saving.places import SUFFIX
from microforge.gui.session.state import Session
from microforge.gui.widgets.basics import Note, beside, button, plain_tip, shortened, stacked

_NO_PROJECT = "Kept from the first stroke on"
_TIP = (
    "Everything you paint, click and choose is kept in a project: a folder beside your image. You need not save. "
    "Here you open another one, begin a new one, or copy this one."
)
#: Letters of a project's name that fit a narrow dock.
_NAME = 24
#: Letters of a problem that are shown.
_LONGEST = 420


class ProjectBar(QWidget):  # type: ignore[misc]  # qtpy has no types
    """Tells which project is open and whether all is on disk; what cannot be written stands here in red."""

    def __init__(self, session: Session, autosave: Autosave, opening: ProjectOpening) -> None:
        super().__init__()
        self.session, self.autosave, self.opening = session, autosave, opening
        self.menu = QMenu(self)
        self.menu.aboutToShow.connect(self._fill_menu)
        self.name = QToolButton()
        self.name.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.name.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
        # napari's theme draws the arrow over the last letter.
        self.name.setStyleSheet("QToolButton::menu-indicator { image: none; } QToolButton { padding: 2px 6px; }")
        self.name.setMenu(self.menu)
        self.state, self.problem, self.unfit, self.found = Note(), Note(), Note(), Note()
        tip = "Keep everything in another folder, on a drive with room, and go on there."
        self.elsewhere = button("Save elsewhere …", tip, self._choose_elsewhere)
        self.again = button("Try again", "Try now; it is tried every few seconds anyway.", autosave.save)
        self.rescue = QWidget()
        stacked(self.rescue, self.problem, beside(self.elsewhere, self.again, wide=(0, 1)))
        self.go_on = GoOn(session, opening)
        stacked(
            self, beside(self.name, self.state, wide=(1,)), self.rescue, self.unfit, self.found, self.go_on
        ).setSpacing(2)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        autosave.changed.connect(self.refresh)
        opening.told.connect(self.found.say)
        self.refresh()

    def refresh(self) -> None:
        """Show how things are."""
        project, problem = self.autosave.project, self.autosave.problem
        self.name.setText(f"{'Project' if project is None else _short(project.document.name)} ▾")
        self.name.setToolTip(plain_tip(_TIP if project is None else f"{project.folder}\n{_TIP}"))
        self.state.say(*self._state())
        self.state.setToolTip(plain_tip("" if project is None else f"Kept in {project.folder}"))
        self.rescue.setVisible(problem is not None)
        self.again.setVisible(project is None or not project.read_only)
        if problem is not None:
            self.problem.say(shortened(self._problem_in_words(), _LONGEST), "error")
            self.problem.setToolTip(plain_tip(problem.details))
        unfit = [f"{name} cannot be kept as it is. {failure.in_words}" for name, failure in self.autosave.unfit.items()]
        self.unfit.say(shortened("\n".join(unfit), _LONGEST), "error")
        self.go_on.refresh()

    def _state(self) -> tuple[str, str]:
        if self.autosave.problem is not None:
            return "Not saved", "error"
        if self.autosave.unfit:
            return "Not all saved", "error"
        if self.autosave.project is None:
            return _NO_PROJECT, ""
        return ("Saving …", "") if self.autosave.saving else ("All saved", "")

    def _problem_in_words(self) -> str:
        problem, project = self.autosave.problem, self.autosave.project
        if problem is None or (project is not None and project.read_only):
            return "" if problem is None else problem.in_words
        names = ", ".join(layer.name for layer in self.autosave.unsaved()[:3])
        waiting = f"Not on disk yet: {names}. " if names else ""
        return f"{waiting}{problem.in_words} You can go on painting: it is tried again every few seconds."

    def _fill_menu(self) -> None:
        project = self.autosave.project
        self.menu.clear()
        self.menu.addAction("New project …", self._choose_new)
        self.menu.addAction("Open project …", self._choose)
        recent = self.menu.addMenu("Recent projects")
        others = [one for one in self.go_on.recent if project is None or Path(one.folder) != project.folder]
        for one in others:
            recent.addAction(one.name, lambda folder=one.folder: self.opening.open(Path(folder)))
        recent.setEnabled(bool(others))
        self.menu.addSeparator()
        for title, act in self._of_the_project().items():
            self.menu.addAction(title, act).setEnabled(project is not None)

    def _of_the_project(self) -> dict[str, Callable[[], None]]:
        return {"Show folder": self._show_folder, "Make a portable copy …": self._choose_copy}

    def _choose(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self, "Open a project: choose its folder", self._near())
        if chosen:
            self.opening.open(Path(chosen))

    def _choose_new(self) -> None:
        chosen = self._name_of_a_folder("Begin a new project: choose where, and its name")
        if chosen is not None:
            self.opening.begin(chosen)

    def _choose_elsewhere(self) -> None:
        chosen = self._name_of_a_folder("Keep everything elsewhere: choose where, and a name")
        if chosen is not None:
            self.autosave.save_elsewhere(chosen)

    def _choose_copy(self) -> None:
        chosen = self._name_of_a_folder("A copy with its images in it: choose where, and a name")
        if chosen is not None:
            self.opening.copy(chosen)

    def _show_folder(self) -> None:
        if self.autosave.project is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(self.autosave.project.folder)))

    def _name_of_a_folder(self, title: str) -> Path | None:
        chosen, _ = QFileDialog.getSaveFileName(self, title, self._near(), f"Projects (*{SUFFIX})")
        if not chosen:
            return None
        return Path(chosen if chosen.endswith(SUFFIX) else f"{chosen}{SUFFIX}")

    def _near(self) -> str:
        project = self.autosave.project
        return "" if project is None else str(project.folder.parent)


def _short(name: str) -> str:
    return name if len(name) <= _NAME else f"{name[: _NAME - 1]}…"
