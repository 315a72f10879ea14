"""What tasks ask of their networks."""

import pytest

from microforge.config import NetworkConfig
from microforge.tasks import available_tasks, get_task
from microforge.tasks.abilities import network_for

LABELS = {"instances", "segmentation"}


@pytest.mark.parametrize("name", sorted(available_tasks()))
def test_answers_are_finely_graded_unless_they_become_labels(name: str) -> None:
    assert network_for(get_task(name)(), NetworkConfig()).graded is (name not in LABELS)
