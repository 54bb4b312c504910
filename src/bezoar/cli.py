"""The command `bezoar`: its group, what can go wrong, exit codes."""

from __future__ import annotations

import io
import signal
import sys
import warnings
from types import FrameType

import click

import bezoar
from bezoar.commands.attack import attack
from bezoar.commands.audit import audit
from bezoar.commands.certify import certify
from bezoar.commands.datasets import datasets
from bezoar.commands.defend import defend
from bezoar.commands.evaluate import evaluate
from bezoar.commands.gates import GATE_FAILED
from bezoar.commands.reproduce import reproduce
from bezoar.commands.sanitize import sanitize
from bezoar.commands.scan import scan
from bezoar.commands.verify import verify
from bezoar.console import complain, in_options, retell, usage_sentence
from bezoar.core.errors import BezoarError, InvalidArgument

BAD_INPUT, INTERRUPTED, TERMINATED = 2, 130, 143
_PATIENCE = 5.0
_INTERRUPTED = "interrupted; nothing unfinished was left behind"


def main() -> None:
    """Run the command, and turn what can go wrong into one sentence and an exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    for stopping in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(stopping) is not signal.SIG_IGN:
            signal.signal(stopping, _stop)
    with warnings.catch_warnings(record=True) as caught:
        code, sentence = _run()
    if code in (INTERRUPTED, TERMINATED):
        _end_work()
    if code in (0, GATE_FAILED):
        retell(caught)
    if sentence:
        complain(sentence)
    sys.exit(code)


def _stop(number: int, _: FrameType | None) -> None:
    """Leave; deaf to further signals, so that a second one does not stop the clearing up.

    Foreign code may swallow the exception, a destructor for one: it is raised
    again after a while, unless the program has come to its end by then.
    """
    for stopping in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stopping, signal.SIG_IGN)
    if hasattr(signal, "setitimer"):
        signal.signal(signal.SIGALRM, lambda _, frame: _stop(number, frame))
        signal.setitimer(signal.ITIMER_REAL, _PATIENCE)
    if number == signal.SIGTERM:
        sys.exit(TERMINATED)
    raise KeyboardInterrupt


def _end_work() -> None:
    """Nobody waits for what other processes still compute, and nothing need be stopped again."""
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, 0)
    if "joblib" in sys.modules:
        from joblib.externals.loky import get_reusable_executor

        get_reusable_executor().shutdown(wait=True, kill_workers=True)


def _ended_by(error: BaseException) -> tuple[int, str]:
    """What a signal comes out as; anything else goes on its way."""
    if isinstance(error, SystemExit) and error.code == TERMINATED:
        return TERMINATED, ""
    # Inside a compiled kernel an interrupt is the cause of a SystemError.
    if isinstance(error, click.Abort | KeyboardInterrupt) or isinstance(error.__cause__, KeyboardInterrupt):
        return INTERRUPTED, _INTERRUPTED
    raise error


def _run() -> tuple[int, str]:
    try:
        outcome = bezoar_command.main(prog_name="bezoar", standalone_mode=False)
    except click.ClickException as error:
        return BAD_INPUT, usage_sentence(error)
    except (click.Abort, KeyboardInterrupt, SystemError, SystemExit) as error:
        return _ended_by(error)
    except InvalidArgument as error:
        params = [param for command in bezoar_command.commands.values() for param in command.params]
        options = {str(param.name): param.opts[0] for param in params}
        return BAD_INPUT, in_options(str(error), options | {"random_state": options["seed"]})
    except BezoarError as error:
        return BAD_INPUT, str(error)
    except MemoryError:
        return BAD_INPUT, "not enough memory for these data; try fewer rows or columns"
    except OSError as error:
        place = f": {error.filename}" if error.filename else ""
        return BAD_INPUT, f"expected to read and write files, got: {(error.strerror or str(error)).lower()}{place}"
    return (outcome if isinstance(outcome, int) else 0), ""


@click.group(
    name="bezoar",
    commands=[audit, certify, verify, scan, defend, evaluate, sanitize, attack, reproduce, datasets],
    invoke_without_command=True,
    subcommand_metavar="COMMAND [ARGS]...",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(bezoar.__version__, prog_name="bezoar", message="%(prog)s %(version)s")
@click.pass_context
def bezoar_command(context: click.Context) -> None:
    """Tell how bad data poisoning can get on your data, and which rows look wrong.

    \b
    Start here:
      bezoar audit digits-1-7 --fraction 0.03 --out report
      bezoar audit mails.csv --text body --label spam --fraction 0.01
      bezoar certify enron --fraction 0.01 --fraction 0.03 --json
      bezoar scan mails.csv --text body --label spam --out scanned
      bezoar defend mails.csv --text body --label spam --out defended
      bezoar evaluate mails.csv --text body --label spam --out evaluated

    \b
    Exit codes: 0 done, 1 a threshold of yours was exceeded or could not be
    decided, 2 input that cannot be used, 130 interrupted.
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help())
