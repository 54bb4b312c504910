"""The command `toadstone`: its group, its errors and exit codes."""

from __future__ import annotations

import io
import signal
import sys
import traceback
import warnings
from types import FrameType

import click

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
from toadstone.core.errors import CertificateRejected, EmptyFeasibleSet, InvalidInput
from toadstone.core.version import __version__
from toadstone.options import free_name, named_out

BAD_INPUT, FAILURE, INTERRUPTED, TERMINATED = 2, 3, 130, 143
_PATIENCE = 5.0
_INTERRUPTED = "interrupted; nothing unfinished was left behind"


def main() -> None:
    """Run the command, and turn every error into one sentence and an exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    for stopping in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(stopping) is not signal.SIG_IGN:
            signal.signal(stopping, _stop)
    with warnings.catch_warnings(record=True) as caught:
        code, sentence = _run_until_stopped()
    if code in (INTERRUPTED, TERMINATED):
        _end_work()
    if code in (0, GATE_FAILED):
        retell(caught)
    if sentence:
        complain(sentence)
    sys.exit(code)


def _stop(number: int, _: FrameType | None) -> None:
    """Raise the exception of a signal, and ignore further signals so that the clean-up is not stopped.

    Foreign code, such as a destructor, may swallow the exception: it is raised
    again after a while, unless the program has ended by then.
    """
    for stopping in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stopping, signal.SIG_IGN)
    if hasattr(signal, "setitimer"):
        signal.signal(signal.SIGALRM, lambda _, frame: _stop(number, frame))
        signal.setitimer(signal.ITIMER_REAL, _PATIENCE)
    if number == signal.SIGTERM:
        sys.exit(TERMINATED)
    raise KeyboardInterrupt


def _disarm() -> None:
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, 0)


def _end_work() -> None:
    """End the worker processes, whose results nobody waits for."""
    _disarm()
    if "joblib" in sys.modules:
        from joblib.externals.loky import get_reusable_executor

        get_reusable_executor().shutdown(wait=True, kill_workers=True)


def _run_until_stopped() -> tuple[int, str]:
    try:
        return _run()
    except KeyboardInterrupt:
        # The timer of `_stop` may fire while the first interrupt is being handled.
        _disarm()
        return INTERRUPTED, _INTERRUPTED
    except SystemExit as error:
        if error.code != TERMINATED:
            raise
        _disarm()
        return TERMINATED, ""


def _ended_by(error: BaseException) -> tuple[int, str]:
    """Turn the exception of a signal into an exit code; anything else is raised again."""
    if isinstance(error, SystemExit) and error.code == TERMINATED:
        return TERMINATED, ""
    # Inside a compiled kernel an interrupt is the cause of a SystemError.
    if isinstance(error, click.Abort | KeyboardInterrupt) or isinstance(error.__cause__, KeyboardInterrupt):
        return INTERRUPTED, _INTERRUPTED
    if isinstance(error, SystemError):
        return FAILURE, _failed(error)
    raise error


def _run() -> tuple[int, str]:
    try:
        outcome = toadstone_command.main(prog_name="toadstone", standalone_mode=False)
    except click.ClickException as error:
        return BAD_INPUT, usage_sentence(error)
    except (click.Abort, KeyboardInterrupt, SystemError, SystemExit) as error:
        return _ended_by(error)
    except InvalidInput as error:
        params = [param for command in toadstone_command.commands.values() for param in command.params]
        options = {str(param.name): param.opts[0] for param in params}
        return BAD_INPUT, in_options(str(error), options | {"random_state": options["seed"]})
    except (CertificateRejected, EmptyFeasibleSet) as error:
        return BAD_INPUT, str(error)
    except MemoryError:
        return BAD_INPUT, "not enough memory for these data; try fewer rows or columns"
    except OSError as error:
        place = f": {error.filename}" if error.filename else ""
        return BAD_INPUT, f"expected to read and write files, got: {(error.strerror or str(error)).lower()}{place}"
    except Exception as error:
        # Only the errors above are refusals of input; any other is a failure of ours, and no gate passes on it.
        return FAILURE, _failed(error)
    return (outcome if isinstance(outcome, int) else 0), ""


def _failed(error: BaseException) -> str:
    """Say that the program failed, and keep the traceback where the user finds it."""
    lines = traceback.format_exception(error)
    sentence = f"internal failure, which is no fault of your data: {type(error).__name__}: {error}".rstrip(": ")
    if "--debug" in sys.argv:
        click.echo("".join(lines), err=True)
        return sentence
    out = named_out(sys.argv[1:])
    if out is None:
        return f"{sentence}; --debug prints the traceback"
    log = free_name(out.with_name(f"{out.name}.failure.log"))
    try:
        log.write_text("".join(lines), encoding="utf-8")
    except OSError:
        return f"{sentence}; --debug prints the traceback"
    return f"{sentence}; the traceback is in {log}"


@click.group(
    name="toadstone",
    commands=[audit, certify, verify, scan, defend, evaluate, sanitize, attack, reproduce, datasets],
    invoke_without_command=True,
    subcommand_metavar="COMMAND [ARGS]...",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="toadstone", message="%(prog)s %(version)s")
@click.pass_context
def toadstone_command(context: click.Context) -> None:
    """Measure how bad data poisoning can get on your data, and find the rows that look wrong.

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
    decided, 2 input that cannot be used, 3 internal failure, 130 interrupted,
    143 terminated.
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


for _command in toadstone_command.commands.values():
    _command.params.append(
        click.Option(["--debug"], is_flag=True, expose_value=False, help="Print the traceback of an internal failure.")
    )
    _command.params.append(
        click.Option(["--quiet"], is_flag=True, expose_value=False, help="Show neither progress nor notes.")
    )
