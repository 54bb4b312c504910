"""Options of the command line that several commands share, and their help."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from toadstone.core.checks import check_seed
from toadstone.core.errors import InvalidArgument

if TYPE_CHECKING:
    from toadstone.core.certificate import NormBall, Ridge
    from toadstone.core.dataset import Dataset
    from toadstone.datasets.split import Split

_F = TypeVar("_F", bound=Callable[..., Any])

_DATA = "DATA is a file (.csv, .tsv, .parquet, .npz, .svmlight) or a name that `toadstone datasets` lists."
FRACTION = "Poison rows for each clean row, in [0, 0.5): 0.03 is 3 for every 100."


def number(name: str, metavar: str, text: str, default: float | None = None) -> Callable[[_F], _F]:
    """An option that takes a number."""
    shown = default is not None
    return click.option(name, type=float, metavar=metavar, default=default, show_default=shown, help=text)


def choice(name: str, values: Sequence[str], text: str) -> Callable[[_F], _F]:
    """An option that takes one of several words, the first by default."""
    return click.option(name, type=click.Choice(values), default=values[0], show_default=True, help=text)


def path(name: str, metavar: str, text: str, *, multiple: bool = False) -> Callable[[_F], _F]:
    """An option that takes a file or folder."""
    return click.option(name, type=click.Path(path_type=Path), metavar=metavar, multiple=multiple, help=text)


def json_flag(what: str) -> Callable[[_F], _F]:
    """The option for one JSON document on standard output."""
    return click.option("--json", "as_json", is_flag=True, help=f"Print {what} as JSON, and nothing else.")


def stacked(*options: Callable[[Any], Any]) -> Callable[[_F], _F]:
    """Several options as one decorator, in the order of the help."""
    return lambda command: functools.reduce(lambda inner, option: option(inner), reversed(options), command)


def epilog(*examples: str) -> str:
    """The end of a command's help: what DATA is, and examples."""
    lines = "\n".join(f"  {example}" for example in examples)
    return f"{_DATA}\n\n\b\nExamples:\n{lines}"


READING = stacked(
    click.option(
        "--label", metavar="COLUMN", help="Column of the labels.  [default: the one named label, class, target or y]"
    ),
    click.option("--text", metavar="COLUMN", help="Column of texts to turn into word weights; others are left out."),
    choice("--weighting", ["tfidf", "counts"], "How words are weighted."),
    choice(
        "--scale",
        ["auto", "standard", "none"],
        "Bring columns to mean 0 and deviation 1. auto does so for tables of mixed units, and leaves counts, values "
        "within [0, 1] and matrices as they are.",
    ),
    click.option("--classes", metavar="A,B", help="Keep only the rows with these two labels."),
    number("--test-share", "SHARE", "Share of each class, in (0, 1), held out where no test set is published.", 0.2),
    click.option(
        "--seed", type=int, metavar="N", default=0, show_default=True, help="Seed of all that is random, from 0."
    ),
)

THREAT = stacked(
    number("--quantile", "Q", "Share of each class's clean rows within the certificate's filters, in [0.5, 1).", 0.95),
    number("--norm-squared", "R", "Models: those whose weights and bias have a squared norm of at most R."),
    number(
        "--ridge",
        "L",
        "Models: those trained with a penalty of L/2 times the squared norm.  [default: by cross-validation]",
    ),
    choice(
        "--domain",
        ["auto", "real", "box", "integer"],
        "Values that poison may have: any (real), within each feature's range (box), counts (integer). auto looks at "
        "the data.",
    ),
    choice("--loss", ["hinge", "smooth_hinge", "squared_hinge", "logistic"], "Loss that the defender minimizes."),
    number(
        "--tolerance",
        "T",
        "Stop once bound and attack differ by this share of the bound, in (0, 1).  "
        "[default: 1e-5, or 1e-3 for data of more than two million entries]",
    ),
)


@dataclass(frozen=True)
class Source:
    """DATA and how it is read."""

    data: str
    label: str | None
    text: str | None
    weighting: str
    scale: str
    classes: str | None
    test_share: float
    seed: int

    def __post_init__(self) -> None:
        check_seed(self.seed)

    @property
    def stem(self) -> str:
        """The name of the data without folders and ending."""
        return Path(Path(self.data).name.removesuffix(".gz")).stem

    def read_trusted(self, path: Path, split: Split) -> Dataset:
        """Rows of a file that the user vouches for, prepared as those of DATA."""
        from toadstone.datasets.preparation.trusted import read_trusted
        from toadstone.datasets.readers.request import Request

        classes = None if self.classes is None else tuple(part.strip() for part in self.classes.split(","))
        request = Request(self.label, self.text, self.weighting, self.scale, classes, self.test_share, self.seed)
        return read_trusted(self.data, path, split, request)

    def read(self, domain: str = "auto") -> Split:
        """Load the data; where counts are expected, files are taken as they are, and all rows checked."""
        from toadstone.datasets import check_domain, load
        from toadstone.datasets.readers.read import is_data_file

        counts = domain == "integer"
        as_given = counts and self.scale == "auto" and is_data_file(self.data)
        split = load(
            self.data,
            label=self.label,
            text=self.text,
            weighting=self.weighting,
            scale="none" if as_given else self.scale,
            classes=None if self.classes is None else tuple(part.strip() for part in self.classes.split(",")),
            test_share=self.test_share,
            random_state=self.seed,
        )
        if counts:
            check_domain(split.whole().X, domain)
        return split


def reading(data: Callable[[Any], Any]) -> Callable[[_F], _F]:
    """Add DATA and how it is read; the command gets both as a `Source`."""

    def decorate(command: _F) -> Any:
        @functools.wraps(command)
        def with_source(**chosen: Any) -> Any:
            names = ("data", "label", "text", "weighting", "scale", "classes", "test_share")
            source = Source(**{name: chosen.pop(name) for name in names}, seed=chosen["seed"])
            return command(source=source, **chosen)

        return data(READING(with_source))

    return decorate


def hypothesis_of(norm_squared: float | None, ridge: float | None) -> NormBall | Ridge | None:
    """The models that --norm-squared or --ridge names; None where neither is given."""
    from toadstone.core.certificate import NormBall, Ridge

    if norm_squared is not None and ridge is not None:
        raise InvalidArgument("--norm-squared and --ridge", "one of them", "both")
    if norm_squared is not None:
        return NormBall(norm_squared)
    return None if ridge is None else Ridge(ridge)


def folder_if_named(out: Path | None) -> AbstractContextManager[Path | None]:
    """A new folder to fill, or None where the caller named none."""
    from toadstone.report.files.folders import new_folder

    return nullcontext() if out is None else new_folder(out)
