"""Options of the command line that several commands share, and their help."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, TypeVar

import click

from toadstone.core.errors import InvalidArgument

_F = TypeVar("_F", bound=Callable[..., Any])

_DATA = (
    "DATA is a file (.csv, .tsv, .jsonl, .parquet, .feather, .xlsx, .arff, .npz, .svmlight; also as .gz, .bz2, .xz, "
    ".zst or .zip), a folder of images, a URL, - for standard input, or a name that `toadstone datasets` lists."
)
FRACTION = "Poison rows for each clean row, in [0, 0.5): 0.03 is 3 for every 100."


def number(name: str, metavar: str, text: str, default: float | None = None) -> Callable[[_F], _F]:
    """An option that takes a number."""
    shown = default is not None
    return click.option(name, type=float, metavar=metavar, default=default, show_default=shown, help=text)


def choice(name: str, values: Sequence[str], text: str) -> Callable[[_F], _F]:
    """An option that takes one of several words, the first by default."""
    return click.option(name, type=click.Choice(values), default=values[0], show_default=True, help=text)


def max_seconds(what: str) -> Callable[[_F], _F]:
    """The option for the time of a run."""
    return number("--max-seconds", "S", f"Begin nothing new after S seconds: {what}, and thresholds exit 1, undecided.")


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


FORCE = click.option(
    "--force", is_flag=True, help="Replace the results of an older run under that name, once the new ones are complete."
)

MODEL = click.option(
    "--model",
    metavar="MODULE:NAME",
    help="What is trained and reported: an estimator, or a function that returns one, of a module in the current "
    "directory or installed. It gets the rows of the table as they stand. For images also a network of PyTorch.  "
    "[default: a linear model]",
)
ESTIMATORS = click.option(
    "--estimators",
    metavar="NAMES",
    help="Classifiers of the prepared columns to add to those of the verdict, as MODULE:NAME, by commas.",
)
CIRCUMSTANCES = stacked(
    click.option(
        "--group",
        metavar="COLUMN",
        help="Column of annotator, hospital or file: one of them may be at fault. For classes alone.",
    ),
    click.option(
        "--time",
        metavar="COLUMN",
        help="Column of numbers or dates: rows of one period may be at fault. For classes alone.",
    ),
)
REPRESENT = stacked(
    click.option(
        "--represent",
        metavar="FILE|MODEL",
        help="Activations or embeddings looked at instead of the columns: .npy, or .npz with one array, a row for each "
        "of DATA. For images also a network trained on other data, MODULE:FACTORY or MODULE:FACTORY@WEIGHTS: labels "
        "are judged in its features.",
    ),
    click.option("--head", metavar="LAYER", help="Last layer of that network.  [default: its last linear one]"),
)

READING = stacked(
    click.option(
        "--label", metavar="COLUMN", help="Column of the labels.  [default: the one named label, class, target or y]"
    ),
    click.option("--text", metavar="A,B", help="Columns of texts to turn into word weights."),
    choice("--weighting", ["tfidf", "counts"], "How words are weighted."),
    choice(
        "--scale",
        ["auto", "standard", "none"],
        "Bring columns to mean 0 and deviation 1. auto does so for tables of mixed units, and leaves counts, values "
        "within [0, 1] and matrices as they are.",
    ),
    click.option("--classes", metavar="A,B", help="Keep only the rows with these labels."),
    choice(
        "--missing",
        ["indicate", "refuse", "drop-rows"],
        "Missing values: the median and a column that marks them, a refusal, or rows left out and listed.",
    ),
    click.option("--drop", metavar="A,B", help="Columns to leave out."),
    click.option("--columns", metavar="A,B", help="The only columns to use."),
    click.option(
        "--types",
        metavar="A=KIND,...",
        help="Kind of columns: number, category, date, text or id. Values that do not fit are missing.",
    ),
    click.option("--id", metavar="COLUMN", help="Column that names the rows in all outputs."),
    click.option(
        "--dayfirst/--monthfirst", default=None, help="Order in dates such as 03/04/2024, where the data do not tell."
    ),
    click.option("--decimal", metavar="SIGN", help="Decimal sign, . or ,  [default: told from the numbers]"),
    click.option("--separator", metavar="CHAR", help="Between values; tab for a tab.  [default: told from the file]"),
    choice("--quote", ["auto", "double", "none"], "Quotation marks around values; none takes them as they stand."),
    click.option("--encoding", metavar="NAME", help="Of text files.  [default: UTF-8, or as the file is marked]"),
    click.option("--labels", metavar="FILE", help="Table of image names and labels, for a folder of images."),
    click.option(
        "--regression",
        is_flag=True,
        help="The label is a number to predict: scan, sanitize, defend, attack and certify by label-flips.",
    ),
    number("--test-share", "SHARE", "Share of each class, in (0, 1), held out where no test set is published.", 0.2),
    click.option(
        "--seed", type=int, metavar="N", default=0, show_default=True, help="Seed of all that is random, from 0."
    ),
)

TARGET = click.option(
    "--target",
    metavar="COLUMN",
    help="Column of a numeric target, in place of a label with classes. Options that are about classes, such as "
    "--group, --time, --detectors, --represent and --action, are refused beside it.",
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


def reading(data: Callable[[Any], Any]) -> Callable[[_F], _F]:
    """Add DATA and the options of reading it, which front-door functions take under the same names."""

    def decorate(command: _F) -> Any:
        @functools.wraps(command)
        def with_classes(classes: str | None, **chosen: Any) -> Any:
            listed = None if classes is None else tuple(part.strip() for part in classes.split(","))
            return command(classes=listed, **chosen)

        return data(READING(with_classes))

    return decorate


def stem(data: str) -> str:
    """The name of the data without folders and ending."""
    return Path(Path(data).name.removesuffix(".gz")).stem


def new_folder(out: Path, *inputs: Any, force: bool) -> AbstractContextManager[Path]:
    """A new folder to fill, which appears once it is complete; with `force` in place of one without any of the inputs.

    Raises
    ------
    InvalidArgument
        If an input would be replaced.
    """
    from toadstone.report.files.places import new_folder as folder
    from toadstone.report.files.places import refuse_inputs_inside

    if force:
        refuse_inputs_inside(out, inputs)
    return folder(out, force=force)


def folder_if_named(out: Path | None, *inputs: Any, force: bool) -> AbstractContextManager[Path | None]:
    """A new folder to fill, or None where the caller named none.

    Raises
    ------
    InvalidArgument
        If there is something to replace, but no name.
    """
    if out is None and force:
        raise InvalidArgument("force", "--out beside it", "none")
    return nullcontext() if out is None else new_folder(out, *inputs, force=force)


def named_out(arguments: Sequence[str]) -> Path | None:
    """The value of --out among the arguments of a command line.

    Examples
    --------
    >>> named_out(["scan", "rows.csv", "--out=found"]).name, named_out(["scan", "rows.csv"])
    ('found', None)
    """
    for position, argument in enumerate(arguments):
        if argument.startswith("--out="):
            return Path(argument.removeprefix("--out="))
        if argument == "--out" and position + 1 < len(arguments):
            return Path(arguments[position + 1])
    return None


def free_name(path: Path) -> Path:
    """The path itself, or the first of path-2, path-3, ... that does not exist."""
    names = (path, *(path.with_name(f"{path.stem}-{number}{path.suffix}") for number in range(2, 1000)))
    return next((name for name in names if not name.exists()), path)
