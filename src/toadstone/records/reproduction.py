"""A figure or table of a paper, measured again: plain data with a published schema."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from toadstone.records.header import Header, Limits, Name, Seconds
from toadstone.records.serial import Record

Unit = Literal["share", "loss", "seconds", "count"]
Aim = Literal["higher", "lower", "equal"]
Standing = Literal["reached", "exceeded", "missed", "differs", "not in the text", "not measured"]

_EXACT = 1e-9


@dataclass(frozen=True)
class Published:
    """A figure that the paper states.

    Parameters
    ----------
    value : float
        The figure, in the unit of its comparison.
    origin : str
        "text", "read off the plot" or "secondary": from the paper's words,
        from its drawing, or from what others say about it.
    accuracy : float
        How far the true figure may be from `value`: half a unit of the last
        digit printed, or the precision with which a drawing can be read.
    relation : {"is", "at most", "at least"}
        Whether the paper states a figure or a limit.
    """

    value: float
    origin: Literal["text", "read off the plot", "secondary"]
    accuracy: Annotated[float, Limits(minimum=0)]
    relation: Literal["is", "at most", "at least"] = "is"


@dataclass(frozen=True)
class Interval:
    """Interval of a measured figure.

    Parameters
    ----------
    low, high : float
        Its ends.
    meaning : str
        Its kind, in words.
    """

    low: float
    high: float
    meaning: Name


@dataclass(frozen=True)
class Comparison:
    """One figure of the paper beside ours.

    Parameters
    ----------
    what : str
        What is measured.
    unit : {"share", "loss", "seconds", "count"}
        Of both figures.
    aim : {"higher", "lower", "equal"}
        Which side of the paper's figure is as good as it, or better.
    paper : Published or None
        None where the stored text of the paper does not have the figure.
    ours : float or None
        None where it is not measured, as `note` then says.
    interval : Interval, optional
        Of ours.
    note : str
        Always shown.
    reason : str
        Why ours may differ; shown where it does.
    """

    derived: ClassVar[tuple[str, ...]] = ("standing",)

    what: Name
    unit: Unit
    aim: Aim
    paper: Published | None
    ours: float | None
    interval: Interval | None = None
    note: str = ""
    reason: str = ""

    @property
    def difference(self) -> float | None:
        """Ours less the paper's."""
        return None if self.paper is None or self.ours is None else self.ours - self.paper.value

    @property
    def standing(self) -> Standing:
        """Standing of our figure beside the paper's.

        Examples
        --------
        >>> stated = Published(0.24, "text", 0.005)
        >>> [Comparison("error", "share", "higher", stated, ours).standing for ours in (0.2, 0.236, 0.25, None)]
        ['missed', 'reached', 'exceeded', 'not measured']
        """
        if self.ours is None:
            return "not measured"
        if self.paper is None:
            return "not in the text"
        # Figures that agree to the last printed digit must not differ by a rounding error.
        difference, slack = self.ours - self.paper.value, self.paper.accuracy + _EXACT
        within = {"is": abs(difference), "at most": difference, "at least": -difference}[self.paper.relation]
        if within <= slack:
            return "reached"
        if self.aim == "equal":
            return "differs"
        return "exceeded" if (difference > 0) == (self.aim == "higher") else "missed"


@dataclass(frozen=True)
class Series:
    """One curve, or the bars of one colour.

    Parameters
    ----------
    label : str
        Of the legend; a series of the paper's and one of ours with the same
        label share a colour.
    source : {"paper", "ours"}
        Whether the paper states it or we measured it.
    x : tuple of float or of str
        Places on the axis, or categories.
    y : tuple of float
        Values, one for each x.
    """

    label: str
    source: Literal["paper", "ours"]
    x: tuple[float, ...] | tuple[str, ...]
    y: tuple[float, ...]


@dataclass(frozen=True)
class Panel:
    """One drawing of the picture.

    Parameters
    ----------
    title : str
        Of the drawing.
    kind : {"lines", "steps", "bars"}
        Bars have categories on their x; steps hold each value until the next.
    x_label, y_label : str
        Of the axes.
    x_unit : {"fraction", "number", "category"}
        Of x.
    unit : {"share", "loss", "seconds", "count"}
        Of y.
    x_scale : {"linear", "log"}
        Of the x axis.
    series : tuple of Series
        Curves or bars.
    """

    title: str
    kind: Literal["lines", "steps", "bars"]
    x_label: str
    y_label: str
    x_unit: Literal["fraction", "number", "category"]
    unit: Unit
    series: tuple[Series, ...]
    x_scale: Literal["linear", "log"] = "linear"


@dataclass(frozen=True)
class Reproduction(Record):
    """A figure or table of a paper, and what a run of ours gives in its place.

    Parameters
    ----------
    header : Header
        Its digests are of the training rows of each data set used.
    name : str
        Of the experiment.
    title : str
        What the paper's figure or table shows.
    source : str
        The paper, and where in it.
    setting : mapping from str to str
        Data, defender and attacker in words.
    comparisons : tuple of Comparison
        The paper's figures beside ours.
    panels : tuple of Panel
        Drawings of them.
    notes : tuple of str
        Remarks on all of them.
    seconds : float
        In all.
    """

    header: Header
    name: Name
    title: str
    source: str
    setting: Mapping[str, str]
    comparisons: tuple[Comparison, ...]
    panels: tuple[Panel, ...]
    notes: tuple[str, ...]
    seconds: Seconds
