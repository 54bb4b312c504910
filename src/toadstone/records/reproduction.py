"""A figure or table of a paper, measured again: plain data with a published schema."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, Self

REPRODUCTION_VERSION = "1.0"

Unit = Literal["share", "loss", "seconds", "count"]
Aim = Literal["higher", "lower", "equal"]
Standing = Literal["reached", "exceeded", "missed", "differs", "not in the text", "not measured"]

_EXACT = 1e-9


@dataclass(frozen=True)
class Published:
    """What the paper states.

    Parameters
    ----------
    value : float
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
    accuracy: float
    relation: Literal["is", "at most", "at least"] = "is"


@dataclass(frozen=True)
class Interval:
    """Where a measured figure lies; `meaning` says in what sense."""

    low: float
    high: float
    meaning: str


@dataclass(frozen=True)
class Comparison:
    """One figure of the paper beside ours.

    Parameters
    ----------
    what : str
        What is measured.
    unit : {"share", "loss", "seconds", "count"}
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

    what: str
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
        """Whether the paper's figure is reached.

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
        Of what; a series of the paper's and one of ours with the same label
        share a colour.
    source : {"paper", "ours"}
    x : tuple of float or of str
        Places on the axis, or categories.
    y : tuple of float
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
    kind : {"lines", "steps", "bars"}
        Bars have categories on their x; steps hold each value until the next.
    x_label, y_label : str
    x_unit : {"fraction", "number", "category"}
    unit : {"share", "loss", "seconds", "count"}
        Of y.
    x_scale : {"linear", "log"}
    series : tuple of Series
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
class Reproduction:
    """A figure or table of a paper, and what a run of ours gives in its place.

    Parameters
    ----------
    name : str
        Of the experiment.
    title : str
        What the paper's figure or table shows.
    source : str
        The paper, and where in it.
    setting : mapping from str to str
        Data, defender and attacker in words.
    comparisons : tuple of Comparison
    panels : tuple of Panel
    notes : tuple of str
        What a reader of all the rows should know.
    data : mapping from str to str
        SHA-256 of the training rows of each data set used.
    seconds : float
        In all.
    seed : int
    command : str
    created : str
    versions : mapping from str to str
        Of the packages that computed it.
    """

    name: str
    title: str
    source: str
    setting: Mapping[str, str]
    comparisons: tuple[Comparison, ...]
    panels: tuple[Panel, ...]
    notes: tuple[str, ...]
    data: Mapping[str, str]
    seconds: float
    seed: int
    command: str
    created: str
    versions: Mapping[str, str] = field(default_factory=dict)
    schema_version: str = REPRODUCTION_VERSION

    def to_json(self) -> str:
        """JSON text under the published schema; each comparison also says how it stands."""
        fields = asdict(self)
        for row, comparison in zip(fields["comparisons"], self.comparisons, strict=True):
            row["standing"] = comparison.standing
        return json.dumps(fields, indent=2, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Rebuild a record from its JSON text."""
        fields = json.loads(text)
        fields["comparisons"] = tuple(_comparison(row) for row in fields["comparisons"])
        fields["panels"] = tuple(_panel(panel) for panel in fields["panels"])
        fields["notes"] = tuple(fields["notes"])
        return cls(**fields)


def _comparison(row: dict[str, Any]) -> Comparison:
    parts = {name: value for name, value in row.items() if name != "standing"}
    parts["paper"] = None if parts["paper"] is None else Published(**parts["paper"])
    parts["interval"] = None if parts["interval"] is None else Interval(**parts["interval"])
    return Comparison(**parts)


def _panel(panel: dict[str, Any]) -> Panel:
    series = tuple(Series(**one | {"x": tuple(one["x"]), "y": tuple(one["y"])}) for one in panel["series"])
    return Panel(**panel | {"series": series})
