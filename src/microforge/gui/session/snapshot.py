"""Snapshot of an annotation: samples that later painting cannot change."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from microforge.axes.areas import Outline
from microforge.errors import AxesError, MicroforgeError
from microforge.events import AsidePart
from microforge.gui.layers.convert import image_of, labels_on
from microforge.gui.layers.layer_axes import axes_of, drawing_axes, long_letters, shown_dimensions
from microforge.gui.layers.outlines import outlines_of
from microforge.gui.session.annotated_image import Annotated
from microforge.gui.session.annotations import window_annotation
from microforge.gui.session.state import Session
from microforge.types import Array, Image, Points, Sample, Unpainted

if TYPE_CHECKING:
    from microforge.data.drawn import DrawnImage


@dataclass(frozen=True, eq=False)
class Snapshot:
    """An annotated image as it was; taking one is quick, `samples` may be called in any thread.

    Attributes
    ----------
    labels
        Drawn labels with axes `axes`; None where none are needed.
    ground
        Where strokes say that there is background, not 0, of the shape of `labels`; None where there are none.
    outlines
        Annotated areas; None where no region was asked for.
    targets
        The images it should become, where that is what is learnt.
    points
        The points on it in pixels, all time points; None where they are not what is learnt from.
    no_cells
        Whether it is known that there are no cells where there is no point at all.
    class_name
        The class of the whole image, where that is what is learnt.
    at_rest
        Whether the image was put away, so that its pixels are to be read where they are needed (`loaded`).
    aside
        What of it is kept aside.
    unpainted
        What ground outside the areas is on which nothing is drawn.
    """

    image: Image
    axes: str
    labels: Array | None = None
    ground: Array | None = None
    outlines: tuple[Outline, ...] | None = None
    unpainted: Unpainted = "background"
    aside: AsidePart | None = None
    targets: tuple[Image, ...] = ()
    points: Points | None = None
    no_cells: bool = False
    class_name: str = ""
    at_rest: bool = False

    def samples(self, known: Collection[str] = ()) -> list[Sample]:
        """Give one sample per time point that says anything.

        Parameters
        ----------
        known
            Names of samples that said something before: where all is erased, they say that nothing is known.

        Raises
        ------
        MicroforgeError
            If what is given does not fit the image.
        """
        return self.drawn().samples(known)

    @property
    def kept_by_hand(self) -> bool:
        """Whether a person keeps it aside."""
        return self.aside is not None and self.aside.by_hand

    def loaded(self) -> "Snapshot":
        """Give it with the pixels of an image that was put away read from its file; slow.

        Raises
        ------
        ImageReadError
            If its file is gone, damaged or of another size.
        """
        return replace(self, image=replace(self.image, data=np.asarray(self.image.data))) if self.at_rest else self

    def learnt(self) -> list[Sample]:
        """Give what of `samples` is not kept aside."""
        from microforge.data.split import learnt_part

        return [part for sample in self.samples() if (part := learnt_part(sample, self.aside)) is not None]

    def drawn(self) -> "DrawnImage":
        """Give what is drawn without how it is shared out; what is packed is unpacked."""
        from microforge.data.drawn import DrawnImage

        labels, ground = (None if one is None else np.asarray(one) for one in (self.labels, self.ground))
        return DrawnImage(
            self.image,
            self.axes,
            labels,
            ground,
            self.outlines,
            self.unpainted,
            self.targets,
            self.points,
            self.no_cells,
            self.class_name,
        )

    @property
    def shape(self) -> tuple[int, ...]:
        """Length along each of `axes`."""
        return tuple(self.image.data.shape[self.image.axes.index(letter)] for letter in self.axes)

    def named(self, name: str) -> "Snapshot":
        """Give it under another name: samples are called after it."""
        return replace(self, image=replace(self.image, name=name))


def snapshot_of(session: Session, item: Annotated, *, copy: bool = True) -> Snapshot:
    """Take a snapshot of one annotated image.

    Parameters
    ----------
    copy
        False shares the memory of the Labels layer: for counting, where a stroke more or less does not matter, and for
        threads that copy what they need.

    Raises
    ------
    AxesError
        If nobody said what the dimensions are.
    AnnotationError
        If the labels do not fit the image.
    """
    image = image_of(item.image, session.axes_of(item.image))
    if not image.axes_known:
        raise AxesError("The meaning of its dimensions is not confirmed.", where=image.name, remedy="Use Annotate.")
    given = window_annotation(session.kind).take(item, image, session.axes_of, copy=copy)
    return Snapshot(
        image,
        ground=_ground(session, item, copy=copy),
        outlines=outlines_on(item, axes_of(item.image, session.axes_of(item.image))[0]),
        unpainted=item.unpainted,
        aside=item.kept_aside,
        no_cells=item.no_cells or session.blank_is_none,
        at_rest=session.image_list.is_at_rest(item.image),
        **{"axes": drawing_axes(image.axes)} | given,
    )


def snapshots_of(session: Session, *, copy: bool = True) -> list[Snapshot]:
    """Take snapshots of every image that the task chosen learns from.

    Raises
    ------
    MicroforgeError
        If one of them cannot be learnt from, or their points are of kinds that do not go together.
    """
    taken, problems = usable_snapshots(session, copy=copy)
    if problems:
        raise problems[0]
    return [snapshot for _, snapshot in taken]


def usable_snapshots(
    session: Session, *, copy: bool = True
) -> tuple[list[tuple[Annotated, Snapshot]], list[MicroforgeError]]:
    """Take snapshots of the images that can be learnt from; one that cannot be does not hold up the others.

    Returns
    -------
    tuple
        Images with their snapshots, and why others have none, or do not go together with these.
    """
    taken: list[tuple[Annotated, Snapshot]] = []
    problems: list[MicroforgeError] = []
    for item in [item for item in session.items if item.use and not item.tests]:
        try:
            taken.append((item, snapshot_of(session, item, copy=copy)))
        except MicroforgeError as error:
            problems.append(error)
    try:
        return _agreeing(session, taken), problems
    except MicroforgeError:
        return _agreeing_so_far(session, taken, problems), problems


def _agreeing_so_far(
    session: Session, taken: list[tuple[Annotated, Snapshot]], problems: list[MicroforgeError]
) -> list[tuple[Annotated, Snapshot]]:
    """Give the images that go together with those before them; adds why others do not to the problems."""
    agreeing: list[tuple[Annotated, Snapshot]] = []
    for one in taken:
        try:
            agreeing = _agreeing(session, [*agreeing, one])
        except MicroforgeError as error:
            problems.append(error)
    return agreeing


def _agreeing(session: Session, taken: list[tuple[Annotated, Snapshot]]) -> list[tuple[Annotated, Snapshot]]:
    """Give what several images have in common the same form."""
    points = [snapshot.points for _, snapshot in taken if snapshot.points is not None]
    if not points:
        return taken
    alike = window_annotation(session.kind).agree(points)
    return [(item, replace(snapshot, points=own)) for (item, snapshot), own in zip(taken, alike, strict=True)]


def _ground(session: Session, item: Annotated, *, copy: bool) -> Array | None:
    """Give where strokes say that there is background; of classes of pixels background is a class like others."""
    if item.ground is None or session.has_classes:
        return None
    ground, _ = labels_on(item.ground, item.image, axes_of(item.image, session.axes_of(item.image))[0])
    return ground.copy() if copy else ground


def outlines_on(item: Annotated, axes: str) -> tuple[Outline, ...] | None:
    """Give the areas of an image where its annotation is complete, in its pixels; None where none was asked for.

    Parameters
    ----------
    axes
        Those of the image layer, see `axes_of`.
    """
    if item.region is None:
        return None
    letters = [axes.replace("S", "")[axis] for axis in shown_dimensions(axes)]
    grid = item.image if item.labels is None else item.labels
    more = grid.ndim - len(letters)
    keep = [i + more for i, letter in enumerate(letters) if letter in long_letters(drawing_axes(axes))]
    # A Labels layer that someone made by hand may lack the channel slider.
    if more < 0:
        keep = list(range(grid.ndim))
    return outlines_of(item.region, grid, keep)
