"""The command `toadstone`: its group, what can go wrong, exit codes."""

from __future__ import annotations

import io
import signal
import sys
import warnings
from types import FrameType

import click

import toadstone
from toadstone.commands.attack import attack
from toadstone.commands.audit import audit
from toadstone.commands.certify import certify
from toadstone.commands.datasets import datasets
from toadstone.commands.defend import defend
from toadstone.commands.evaluate import evaluate
from toadstone.commands.gates import GATE_FAILED
from toadstone.commands.reproduce import reproduce
from toadstone.commands.sanitize import sanitize
from toadstone.commands.scan import scan
from toadstone.commands.verify import verify
from toadstone.console import complain, in_options, retell, usage_sentence
from toadstone.core.errors import InvalidArgument, ToadstoneError

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
        outcome = toadstone_command.main(prog_name="toadstone", standalone_mode=False)
    except click.ClickException as error:
        return BAD_INPUT, usage_sentence(error)
    except (click.Abort, KeyboardInterrupt, SystemError, SystemExit) as error:
        return _ended_by(error)
    except InvalidArgument as error:
        params = [param for command in toadstone_command.commands.values() for param in command.params]
        options = {str(param.name): param.opts[0] for param in params}
        return BAD_INPUT, in_options(str(error), options | {"random_state": options["seed"]})
    except ToadstoneError as error:
        return BAD_INPUT, str(error)
    except MemoryError:
        return BAD_INPUT, "not enough memory for these data; try fewer rows or columns"
    except OSError as error:
        place = f": {error.filename}" if error.filename else ""
        return BAD_INPUT, f"expected to read and write files, got: {(error.strerror or str(error)).lower()}{place}"
    return (outcome if isinstance(outcome, int) else 0), ""


@click.group(
    name="toadstone",
    commands=[audit, certify, verify, scan, defend, evaluate, sanitize, attack, reproduce, datasets],
    invoke_without_command=True,
    subcommand_metavar="COMMAND [ARGS]...",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(toadstone.__version__, prog_name="toadstone", message="%(prog)s %(version)s")
@click.pass_context
def toadstone_command(context: click.Context) -> None:
    """Tell how bad data poisoning can get on your data, and which rows look wrong.

    \b
    Start here:
      toadstone audit digits-1-7 --fraction 0.03 --out report
      toadstone audit mails.csv --text body --label spam --fraction 0.01
      toadstone certify enron --fraction 0.01 --fraction 0.03 --json
      toadstone scan mails.csv --text body --label spam --out scanned
      toadstone defend mails.csv --text body --label spam --out defended
      toadstone evaluate mails.csv --text body --label spam --out evaluated

    \b
    Exit codes: 0 done, 1 a threshold of yours was exceeded or could not be
    decided, 2 input that cannot be used, 130 interrupted.
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help())
