"""The panel *Train*: start, stop, continue, discard, and settings."""

import shutil
from collections.abc import Callable
from pathlib import Path

from qtpy.QtCore import QUrl
from qtpy.QtGui import QDesktopServices
from qtpy.QtWidgets import QApplication, QFileDialog, QMessageBox, QVBoxLayout, QWidget

from microforge.answers.words import first_look_text
from microforge.config import TrainingConfig
from microforge.errors import MicroforgeError
from microforge.events import ComparedWithStart, KeptAside, PreviewAwaited, PreviewReady, RunFailed, WorstPlace
from microforge.gui.session.annotation_watcher import Watch
from microforge.gui.session.state import Session, Step
from microforge.gui.session.training_run import RunState, TrainingRun
from microforge.gui.train.aside.shown import AsideShown
from microforge.gui.train.model_choice import ModelChoice
from microforge.gui.train.pixel_size_question import PixelSizeQuestion
from microforge.gui.train.preview import Preview
from microforge.gui.train.report import RunReport
from microforge.gui.train.training_data import TrainingList
from microforge.gui.train.unpainted_question import UnpaintedQuestion
from microforge.gui.train.worst_places import place_on_layer
from microforge.gui.widgets.basics import Note, beside, button, collapsible, confirmed, shortened, tick
from microforge.gui.widgets.canvas_view import look_at
from microforge.gui.widgets.look.buttons import accent, danger, stand_out
from microforge.gui.widgets.meter import Meter
from microforge.gui.widgets.name_rows import in_one_line
from microforge.gui.widgets.settings_form import Form
from microforge.tasks import Readiness
from microforge.training.history.repeat import command_of_run
from microforge.training.history.run_folder import REPORT_NAME

#: Said where no command names what was learnt from.
NO_COMMAND = (
    "No command can do this again: it learnt from images that are open here only, or from these and a folder. "
    "Keep them in a project, or save images and annotations as files and choose their folders below the list of images."
)
_ELSEWHERE = {"task", "task_options"}


class TrainPanel(QWidget):  # type: ignore[misc]  # qtpy has no types
    """What a person sees in the tab *Train*."""

    def __init__(self, session: Session, watch: Watch) -> None:
        super().__init__()
        self.session, self.watch = session, watch
        self.run = TrainingRun(session)
        self._aside = KeptAside(())
        self.preview = Preview(session, self)
        self.aside = AsideShown(session, self.preview.looked_at, self)
        self.list = TrainingList(session)
        self.sizes = PixelSizeQuestion(session)
        self.state = Note(tip="What is annotated in all images that are ticked.")
        self.meter = Meter("How much is annotated of what a good model needs. The mark: enough for a first one.")
        self.question = UnpaintedQuestion(session)
        self.said = Note(tip="What the network says by now about the image you look at.")
        self.report = RunReport(hints=session.settings.show_advice)
        self.choice = ModelChoice(session, self.run)
        tip = "Show every few seconds what the network says by now, as a layer of its own."
        self.show_preview = tick("Preview on the image I look at", tip, on=True)
        self._make_buttons()
        self._make_advanced()
        self._lay_out()
        self._connect()
        self._show_state(self.run.state)

    def close_down(self) -> None:
        """Let go of the viewer."""
        self.preview.close()
        self.aside.close()
        self.list.close_down()
        self.question.close_down()
        self.report.end()

    def set_colours(self, background: str, text: str) -> None:
        """Follow napari's theme."""
        self.report.plots.set_colours(background, text)

    def start(self) -> None:
        """Train from the beginning."""
        if not self.sizes.ask(self.start) and self._try(self.run.start):
            self.report.clear()
            self._show_begin()

    def begin(self) -> None:
        """Do what is next: go on with the last training where it fits, else train from the beginning."""
        if self.run.can_continue:
            self.go_on()
        elif not self.run.busy:
            self.start()

    def go_on(self) -> None:
        """Take up the last training; its curves go on as well."""
        if not self.sizes.ask(self.go_on) and self._try(self.run.proceed):
            self._show_begin()

    def _make_buttons(self) -> None:
        self.train = button(
            "Train", "Train a network on the images ticked above. Stop whenever you like.", self.start, icon="train"
        )
        self.stop = accent(button("Stop", "End the training and keep the model.", self.run.stop, icon="stop"))
        tip = "Go to Apply, and run the model on the images selected there."
        self.apply = accent(button("Apply", tip, lambda: self.session.go_to(Step.APPLY, begin=True), icon="apply"))
        self.proceed = button("Continue", "Go on with the last training, with what is annotated now.", self.go_on)
        for each in (self.train, self.stop, self.apply, self.proceed):
            each.setMinimumHeight(34)
        self.save = button("Save model as …", "Copy the model to a place and name of your own.", self._save)
        self.folder = button("Show folder", "", self._show_folder)
        tip = "Open the page that tells of this training: settings, images, curves, scores, a paragraph for a paper."
        self.page = button("Report", tip, self._show_page)
        tip = "Copy the command that does this training again: for a terminal, a cluster, or a supplement."
        self.copy = button("Copy as command", tip, self._copy)
        self.discard = danger(button("Discard", "End the training and delete its model. Asks first.", self._discard))

    def _make_advanced(self) -> None:
        self.form: Form[TrainingConfig] = Form(self.session.config, leave_out=_ELSEWHERE)
        tip = "Settings that are chosen from your data and this computer unless you change them."
        self.advanced = collapsible("Advanced", tip, self.form.native)

    def _lay_out(self) -> None:
        page = QVBoxLayout(self)
        page.setSpacing(6)
        page.addWidget(self.list)
        page.addWidget(self.state)
        page.addWidget(self.meter)
        page.addWidget(self.sizes)
        page.addLayout(beside(self.stop, self.apply, self.proceed, self.train, wide=(0, 1)))
        for widget in (self.question, self.show_preview, self.said, self.choice, self.report):
            page.addWidget(widget)
        self._kept = beside(self.save, self.folder, wide=())
        self._kept.addStretch()
        self._kept.addWidget(self.discard)
        page.addLayout(self._kept)
        told = beside(self.page, self.copy, wide=())
        told.addStretch()
        page.addLayout(told)
        page.addWidget(self.advanced)
        page.addStretch()

    def _connect(self) -> None:
        self.run.state_changed.connect(self._show_state)
        self.run.event.connect(self._on_event)
        self.watch.readiness_changed.connect(self._show_readiness)
        self.form.value_changed.connect(self._on_form)
        self.session.changed.connect(self._on_session_changed)
        self.show_preview.toggled.connect(self._on_show_preview)
        self.preview.shown.connect(self.question.follow)
        self.watch.readiness_changed.connect(lambda _: self.question.look())
        self.report.worst.wanted.connect(self._go_to_place)
        self.preview.said.connect(lambda text: self.said.say(text, "info"))
        self.preview.dismissed.connect(lambda: self.show_preview.setChecked(False))

    def _try(self, act: Callable[[], None]) -> bool:
        """Do something that may be refused, and show why; give whether it was not."""
        try:
            act()
        except MicroforgeError as error:
            self.report.add(RunFailed(error.problem, error.remedy, error.kept, error.where))
            return False
        return True

    def _show_begin(self) -> None:
        config = self.session.config
        self.choice.clear()
        self.preview.start()
        limited = config.time is not None or config.steps is not None
        self.report.begin(self.session.task_class, limited=limited)

    def _show_folder(self) -> None:
        if self.run.folder is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(self.run.folder)))

    def _show_page(self) -> None:
        page = None if self.run.folder is None else self.run.folder / REPORT_NAME
        if page is None or not page.is_file():
            self.session.say("This training has no report: it did not end well, or could not write one.", "info")
        else:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(page)))

    def _copy(self) -> None:
        command = "" if self.run.folder is None else command_of_run(self.run.folder)
        if command:
            QApplication.clipboard().setText(command)
            self.session.say("The command is copied: paste it in a terminal.", "info")
        else:
            self.session.say(NO_COMMAND, "warning")

    def _discard(self) -> None:
        text = "The network trained so far is deleted. Your annotations stay as they are."
        if not self.run.busy and self.run.goes_on:
            text = "The network trained so far is deleted, with the models it had before. Your annotations stay."
        if self.run.busy and self.run.goes_on:
            text = (
                "What was learnt since Continue is deleted. The model of before and your annotations stay as they are."
            )
        if confirmed(self, "Discard the training?", text, QMessageBox.StandardButton.Discard):
            self.run.discard()

    def _save(self) -> None:
        model = self.session.model_path
        if model is None:
            return
        start = str(Path.home() / f"{self.session.config.task}.safetensors")
        chosen, _ = QFileDialog.getSaveFileName(self, "Save model as", start, "Models (*.safetensors)")
        if chosen:
            self.save_to(model, Path(chosen))

    def save_to(self, model: Path, target: Path) -> None:
        """Copy a model all or nothing, and use the copy from now on."""
        from microforge.io.atomic import atomic_path

        target = target if target.suffix == ".safetensors" else target.with_name(f"{target.name}.safetensors")
        try:
            with atomic_path(target) as temporary:
                shutil.copyfile(model, temporary)
        except (OSError, ValueError, MicroforgeError) as error:
            name = in_one_line(str(target))
            why = "the name has a sign that no disk takes." if isinstance(error, ValueError) else error
            self.session.say(f"The model could not be saved as {name}: {why}", "error")
            return
        self.session.set_model(target)
        self.session.say(f"The model is saved as {target.name}.", "info")

    def _go_to_place(self, place: WorstPlace) -> None:
        """Bring a place of an image kept aside into view, where that image is still open."""
        found = place_on_layer(self.session, place, self._aside)
        if found is None:
            self.session.say(f"{place.name} is not open: it was read from a folder, or closed.", "info")
        else:
            look_at(self.session.viewer, *found)

    def _on_event(self, event: object) -> None:
        if isinstance(event, KeptAside):
            self._aside = event
        if isinstance(event, PreviewReady):
            self.preview.show(event)
        elif isinstance(event, ComparedWithStart):
            self.choice.tell(event)
        elif isinstance(event, PreviewAwaited):
            self.said.say(first_look_text(event.seconds), "info")
        else:
            self.report.add(event)

    def _show_state(self, state: RunState) -> None:
        self._show_buttons(state)
        if state in (RunState.IDLE, RunState.ENDED):
            # It would be taken for the result of the model that is kept, which may be another.
            self.preview.stop()
            self.preview.remove()
            self.question.forget()
            self.report.end()
        if state is RunState.STOPPING:
            self.report.doing.say("Stopping: the model is being saved.", "info")
        if state is RunState.IDLE and self.run.folder is None:
            self.report.clear()
            self.choice.clear()

    def _show_buttons(self, state: RunState) -> None:
        running = state in (RunState.RUNNING, RunState.PAUSED)
        done = state is RunState.ENDED and self.session.model_path is not None
        self.train.setVisible(not self.run.busy)
        self.train.setText("Train anew" if self.run.can_continue else "Train")
        self.train.show_icon("" if self.run.can_continue else "train")
        self.stop.setVisible(running)
        self.apply.setVisible(done)
        self.proceed.setVisible(self.run.can_continue)
        stand_out(self.train, "" if done and self.run.can_continue else "accent")
        stand_out(self.apply, "accent" if self.run.can_continue else "")
        self.discard.setVisible(running or self.run.can_discard)
        # What cannot be changed now makes room for what is to be watched.
        self.advanced.setVisible(not self.run.busy)
        self.list.folder.setVisible(not self.run.busy)
        self._show_readiness(self.watch.readiness)
        self.show_preview.setVisible(state is not RunState.ENDED)
        self.save.setVisible(done)
        for widget in (self.folder, self.page, self.copy):
            widget.setVisible(self.run.can_discard)
        self.folder.setToolTip(f"Where this training keeps its model, log and settings: {self.run.folder}")

    def _show_readiness(self, readiness: Readiness) -> None:
        text = "\n".join(part for part in (readiness.in_words, readiness.missing) if part)
        self.state.say(shortened(text), "ok" if readiness.enough else "info" if readiness.ready else "warning")
        self.meter.tell_of(None if self.run.busy else readiness.headway)
        self.train.setEnabled(readiness.ready or self.session.has_folder)

    def _on_form(self, config: TrainingConfig) -> None:
        self.session.set_config(**config.model_dump(exclude=_ELSEWHERE))

    def _on_session_changed(self) -> None:
        self.sizes.refresh()
        if self.form.value() != self.session.config:
            self.form.set_value(self.session.config)
        self._show_buttons(self.run.state)
        self._show_readiness(self.watch.readiness)

    def _on_show_preview(self, wanted: bool) -> None:
        self.preview.enabled = wanted
        if wanted:
            self.preview.look()
        else:
            self.preview.remove()
