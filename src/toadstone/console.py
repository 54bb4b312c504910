"""Output of the commands: sentences, warnings and progress, on a terminal or a pipe."""

from __future__ import annotations

import re
import shlex
import shutil
import sys
import threading
import time
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TextIO

import click

from toadstone.catalogue import RENAMED_OPTIONS
from toadstone.report.text.formats import flow, visible
from toadstone.signals import ignore_interrupts

if TYPE_CHECKING:
    from toadstone.front.results import Result

_PATIENCE = 2.0
_REFRESH = 0.25
# Of lines where there is no terminal: a log should not fill up with them.
_FIRST_LINE, _LONGEST_SILENCE = 10.0, 600.0


def complain(sentence: str) -> None:
    """Write one sentence to standard error, whatever characters came with the data."""
    one_line = re.sub(r"\s*\n\s*", " ", sentence.strip())
    click.echo(flow(f"toadstone: {one_line}", _width(sys.stderr)), err=True)


def quiet() -> bool:
    """True where the user wants neither progress nor notes."""
    return "--quiet" in sys.argv[1:]


def remark(sentence: str) -> None:
    """Write a note to standard error, unless the user wants none."""
    if not quiet():
        complain(f"note: {sentence}")


def say(lines: Iterable[str]) -> None:
    """Write lines to standard output."""
    for line in lines:
        click.echo(line)


def columns() -> int | None:
    """Width of the terminal; None where there is no terminal to fit."""
    return _width(sys.stdout)


def _width(stream: TextIO | None) -> int | None:
    # Python has no stream at all where the caller closed it.
    return shutil.get_terminal_size().columns if stream is not None and stream.isatty() else None


def usage_sentence(error: click.ClickException) -> str:
    """One sentence for a command line that cannot be parsed, and where to look."""
    sentence = error.format_message().rstrip(".").replace(". Did you", "; did you")
    sentence = re.sub(
        r"\. \(Did you mean one of: (.*)\?\)$",
        lambda got: f"; did you mean {' or '.join(got[1].rsplit(', ', 1))}?",
        sentence,
    )
    if isinstance(error, click.BadParameter) and not isinstance(error, click.MissingParameter) and error.param:
        kinds = {"float": "a number", "integer": "a whole number"}
        reason = re.sub(
            r"^(.*) is not a valid (float|integer)\b",
            lambda got: f"expected {kinds[got[2]]}, got {got[1]}",
            error.message,
        )
        sentence = f"`{error.param.opts[0]}`: {reason.rstrip('.')}"
    if isinstance(error, click.NoSuchOption) and error.option_name in RENAMED_OPTIONS:
        sentence = f"`{error.option_name}` is called {RENAMED_OPTIONS[error.option_name]} now"
    path = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else "toadstone"
    see = " See" if sentence.endswith("?") else "; see"
    return f"{sentence[:1].lower()}{sentence[1:]}{see} `{path} --help`"


def in_options(sentence: str, options: Mapping[str, str]) -> str:
    """Call arguments by the options that set them.

    Examples
    --------
    >>> in_options("`test_share`: expected a number in (0, 1), got 2", {"test_share": "--test-share"})
    '`--test-share`: expected a number in (0, 1), got 2'
    """
    return re.sub(r"`(\w+)`", lambda found: f"`{options.get(found[1], found[1])}`", sentence)


def retell(caught: Sequence[warnings.WarningMessage]) -> None:
    """Write each kind of warning once, without the line of code that gave it."""
    kinds = [(warning.category, warning.filename, warning.lineno) for warning in caught]
    times = Counter(kinds)
    for kind, warning in zip(kinds, caught, strict=True):
        others = times.pop(kind, 0) - 1
        if others >= 0:
            remark(f"{warning.message}" + (f" (and {others} more like it)" if others else ""))


@contextmanager
def running(stage: str) -> Iterator[Progress]:
    """Show progress, and let records name the command line, while a front-door function runs."""
    from toadstone.front.run import run_as

    with quiet_workers(), Progress(stage) as progress, run_as(shlex.join(["toadstone", *sys.argv[1:]]), progress):
        yield progress


def quiet_workers() -> AbstractContextManager[Any]:
    """Let worker processes ignore Ctrl-C: the first process ends them, and they would print tracebacks."""
    from joblib import parallel_config

    try:
        deaf: AbstractContextManager[Any] = parallel_config("loky", initializer=ignore_interrupts)
    except TypeError:
        # Before joblib 1.5 a backend took no such option.
        return nullcontext()
    return deaf


def show(result: Result, out: Path | None, *, as_json: bool, page: str | None = "report.html") -> None:
    """Print a result as JSON, or as the terminal shows it, with the place of its files."""
    if as_json:
        # The one control character that JSON does not write as an escape.
        click.echo(result.to_json().replace("\x7f", "\\u007f"))
        return
    say(result.lines(columns()))
    if result.unfinished:
        say(["", flow(f"Unfinished: {result.unfinished}.", columns())])
    if out is not None:
        say(["", visible(f"Report: {out / page}")] if page else [visible(f"Written to {out}.")])


def span(seconds: float) -> str:
    """A time in words, as exact as anybody wants it.

    Examples
    --------
    >>> span(12.3), span(200.0), span(9000.0)
    ('12 s', '3 min', '2.5 h')
    """
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 100 * 60 else f"{seconds / 3600:.1f} h"


class Progress:
    """A display of the stage in progress on standard error, unless the user wants none.

    On a terminal it is a bar, once the work has taken two seconds; elsewhere a
    line now and then, the first after ten. A thread draws, so that it also
    moves within a long step.

    Parameters
    ----------
    stage : str
        Name of the first stage.
    total : int, optional
        Number of steps, where they can be counted.
    """

    def __init__(self, stage: str, total: int | None = None) -> None:
        self._stage, self._total, self._done = stage, total, 0
        self._began = time.time()
        self._over = threading.Event()
        draw = self._tell if _width(sys.stderr) is None else self._draw
        self._pen = threading.Thread(target=draw, daemon=True)

    def __enter__(self) -> Self:
        if sys.stderr is not None and not quiet():
            self._pen.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        if self._pen.is_alive():
            self._pen.join()

    def announce(self, stage: str) -> None:
        """Name the stage that begins."""
        self._stage = stage

    def expect(self, steps: int) -> None:
        """Say how many steps there will be."""
        self._total = steps

    def step(self) -> None:
        """Count one step."""
        self._done += 1

    def _tell(self) -> None:
        wait, pace = _FIRST_LINE, (0, self._began)
        while not self._over.wait(wait):
            now, done = time.time(), self._done
            words = [self._stage, *([f"{done} of {self._total} steps"] if self._total else [])]
            words.append(f"{span(now - self._began)} so far")
            if self._total and done - pace[0] >= 2 and done < self._total:
                # Of the steps since the last line alone: those that an earlier run had finished took no time.
                rest = (self._total - done) * (now - pace[1]) / (done - pace[0])
                words.append(f"about {span(rest)} to go at this pace")
            complain(", ".join(words))
            wait, pace = min(2 * wait, _LONGEST_SILENCE), (done, now)

    def _draw(self) -> None:
        if self._over.wait(_PATIENCE):
            return
        from tqdm import tqdm

        shape = "{desc}, {n_fmt} of {total_fmt} |{bar}| {elapsed}" if self._total else "{desc}, {elapsed}"
        with tqdm(total=self._total, bar_format=shape, file=sys.stderr, leave=False, dynamic_ncols=True) as bar:
            bar.start_t = self._began
            while not self._over.wait(_REFRESH):
                bar.n = self._done
                bar.set_description_str(self._stage)
