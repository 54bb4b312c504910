"""Options of the readers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from toadstone.core.checks import check_within
from toadstone.core.errors import InvalidArgument
from toadstone.datasets.split import describe_hold_out

WEIGHTINGS = ("tfidf", "counts")
SCALES = ("auto", "standard", "none")


@dataclass(frozen=True)
class Request:
    """Options of `toadstone.datasets.read`, checked on construction.

    Raises
    ------
    InvalidArgument
        If an option is out of range.
    """

    label: str | None = None
    text: str | None = None
    weighting: str = "tfidf"
    scale: str = "auto"
    classes: Sequence[str] | None = None
    test_share: float = 0.2
    random_state: int = 0

    def __post_init__(self) -> None:
        if self.weighting not in WEIGHTINGS:
            raise InvalidArgument("weighting", f"one of {WEIGHTINGS}", repr(self.weighting))
        if self.scale not in SCALES:
            raise InvalidArgument("scale", f"one of {SCALES}", repr(self.scale))
        check_within("(0, 1)", test_share=self.test_share)
        if self.classes is not None:
            classes = (self.classes,) if isinstance(self.classes, str) else tuple(str(name) for name in self.classes)
            if len(set(classes)) < 2:
                raise InvalidArgument("classes", "at least two different labels", classes)
            object.__setattr__(self, "classes", classes)

    def refuse_columns(self, what: str) -> None:
        """Check that no option names a column, for data without named columns.

        Raises
        ------
        InvalidArgument
            If `label` or `text` is given.
        """
        for name, value in (("label", self.label), ("text", self.text)):
            if value is not None:
                raise InvalidArgument(name, f"nothing for {what}, which has no named columns", repr(value))

    @property
    def test_origin(self) -> str:
        """Description of the hold-out, in words."""
        return describe_hold_out(self.test_share, self.random_state)
