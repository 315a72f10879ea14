"""What stands in *Train* while there is nothing to learn from."""

import numpy as np

from microforge.gui.train.panel import TrainPanel


def test_with_nothing_to_learn_from_the_way_is_shown(panel: TrainPanel) -> None:
    session, shown = panel.session, panel.list
    assert shown.steps.isVisible()
    assert shown.nothing.text(), "with what is missing for this goal"
    assert not shown.tree.isVisible()
    image = session.viewer.add_image(np.zeros((8, 8), np.float32))
    session.annotate(image, session.viewer.add_labels(np.zeros((8, 8), np.int32)))
    assert not shown.steps.isVisible()
    assert shown.tree.isVisible()
    session.viewer.layers.clear()
    assert shown.steps.isVisible()
