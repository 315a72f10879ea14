"""The annotated images as they are now, for counting and for a training under way."""

from collections.abc import Hashable, Sequence

from microforge.errors import MicroforgeError
from microforge.gui.session.annotated_image import Annotated
from microforge.gui.session.snapshot import Snapshot, usable_snapshots
from microforge.gui.session.state import Session
from microforge.gui.session.watching.handed_over import Edited


def edited_images(session: Session) -> list[Edited]:
    """Give every image that the task chosen learns from; nothing is copied.

    Raises
    ------
    MicroforgeError
        If one of them cannot be learnt from.
    """
    usable, problems = usable_images(session)
    if problems:
        raise problems[0]
    return usable


def usable_images(session: Session) -> tuple[list[Edited], list[MicroforgeError]]:
    """Give the images that can be learnt from, and why others cannot; nothing is copied."""
    # Before the layers are read: what changes meanwhile must differ from what is noted here.
    versions = {item: _versions_of(session, item) for item in session.items}
    taken, problems = usable_snapshots(session, copy=False)
    return [_edited(session, item, snapshot, versions[item]) for item, snapshot in taken], problems


def _edited(session: Session, item: Annotated, snapshot: Snapshot, versions: Sequence[int]) -> Edited:
    said = (snapshot.unpainted, snapshot.no_cells, snapshot.class_name, snapshot.axes, item.drawn)
    kinds = None if snapshot.points is None else snapshot.points.kinds
    version: Hashable = (*versions, *said, kinds, snapshot.image.axes, snapshot.image.pixel_size)
    return Edited(item, snapshot, versions[0], version)


def _versions_of(session: Session, item: Annotated) -> list[int]:
    return [session.contents.version(layer) for layer in (item.image, *item.drawn, *item.targets)]
