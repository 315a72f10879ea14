"""Choose what the model is to learn: goals with pictures, in groups."""

from qtpy.QtCore import QSize, Qt
from qtpy.QtGui import QFont, QIcon, QStandardItem, QStandardItemModel

from microforge.gui.widgets.basics import Picker
from microforge.gui.widgets.look.icons import PICTURE_SHAPE, picture
from microforge.tasks import Task, goals_by_group

_WIDTH = 36


class GoalPicker(Picker):
    """A list of goals, whose values are names of tasks; arrows and first letters pass over the titles of groups."""

    def __init__(self, tip: str) -> None:
        super().__init__(tip)
        self.setIconSize(QSize(_WIDTH, round(_WIDTH * PICTURE_SHAPE)))

    def offer(self, tasks: dict[str, type[Task]]) -> None:
        """Offer tasks, by name."""
        choices: list[tuple[str, str | None]] = []
        for group, goals in goals_by_group(tasks.values()).items():
            choices += [(group, None), *((goal.title, goal.name) for goal in goals)]
        self.set_choices(choices)
        model = self.model()
        assert isinstance(model, QStandardItemModel)
        for row, (_, name) in enumerate(choices):
            _dress(model.item(row), None if name is None else tasks[name])


def _dress(item: QStandardItem, task: type[Task] | None) -> None:
    """Give a line of the list its picture; one that is no goal is the title of a group."""
    if task is not None:
        item.setIcon(QIcon(picture(task.name, _WIDTH)))
        item.setToolTip(task.description)
        return
    font = QFont(item.font())
    font.setBold(True)
    item.setFont(font)
    item.setFlags(Qt.ItemFlag.NoItemFlags)
