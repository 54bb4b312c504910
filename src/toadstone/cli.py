"""The command `toadstone`: its group, its errors and exit codes."""

from __future__ import annotations

import io
import sys
import traceback
import warnings

import click

from toadstone import signals
from toadstone.commands.attack import attack
from toadstone.commands.audit import audit
from toadstone.commands.certify import certify
from toadstone.commands.cost import cost
from toadstone.commands.datasets import datasets
from toadstone.commands.defend import defend
from toadstone.commands.evaluate import evaluate
from toadstone.commands.federate import federate
from toadstone.commands.gates.limits import GATE_FAILED
from toadstone.commands.inspect import inspect
from toadstone.commands.reproduce import reproduce
from toadstone.commands.sanitize import sanitize
from toadstone.commands.scan import scan
from toadstone.commands.verify import verify
from toadstone.console import complain, in_options, retell, usage_sentence
from toadstone.core.errors import CertificateRejected, EmptyFeasibleSet, InvalidInput
from toadstone.core.version import __version__
from toadstone.options import free_name, named_out
from toadstone.report.text.formats import visible

BAD_INPUT, FAILURE, UNREAD = 2, 3, 141
_STOPPED = {
    signals.INTERRUPTED: "interrupted; nothing unfinished was left behind",
    signals.TERMINATED: "",
}


def main() -> None:
    """Run the command, and turn every error into one sentence and an exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    signals.listen()
    with warnings.catch_warnings(record=True) as caught:
        code, sentence = _run_until_stopped()
    if code in (signals.INTERRUPTED, signals.TERMINATED):
        _end_work()
    if code in (0, GATE_FAILED):
        retell(caught)
    if sentence:
        complain(sentence)
    signals.finish()
    sys.exit(code)


def _end_work() -> None:
    """End the worker processes, whose results nobody waits for."""
    signals.settle()
    if "joblib" in sys.modules:
        from joblib.externals.loky import get_reusable_executor

        get_reusable_executor().shutdown(wait=True, kill_workers=True)


def _run_until_stopped() -> tuple[int, str]:
    try:
        ended = _run()
    except BaseException as error:
        # The timer of a signal may fire while its first exception is being handled.
        code = signals.code_behind(error)
        if code is None:
            raise
        ended = code, _STOPPED[code]
    signals.settle()
    return ended


def _run() -> tuple[int, str]:
    stdout = sys.stdout
    try:
        outcome = toadstone_command.main(prog_name="toadstone", standalone_mode=False)
    except BaseException as error:
        code = signals.code_behind(error)
        # Where nobody reads on, click wraps the stream and leaves with 1, which here means an exceeded threshold.
        if code is None and isinstance(error, SystemExit) and sys.stdout is not stdout:
            return UNREAD, ""
        return _refusal(error) if code is None else (code, _STOPPED[code])
    return (outcome if isinstance(outcome, int) else 0), ""


def _refusal(error: BaseException) -> tuple[int, str]:
    """Turn an error that no signal is behind into an exit code and a sentence."""
    if isinstance(error, click.ClickException):
        return BAD_INPUT, usage_sentence(error)
    if isinstance(error, InvalidInput):
        params = [param for command in toadstone_command.commands.values() for param in command.params]
        options = {str(param.name): param.opts[0] for param in params}
        return BAD_INPUT, in_options(
            str(error), options | {"random_state": options["seed"], "destination": options["out"]}
        )
    if isinstance(error, CertificateRejected | EmptyFeasibleSet):
        return BAD_INPUT, str(error)
    if isinstance(error, MemoryError):
        return BAD_INPUT, "not enough memory for these data; try fewer rows or columns"
    if isinstance(error, OSError):
        place = f": {error.filename}" if error.filename else ""
        return BAD_INPUT, f"expected to read and write files, got: {(error.strerror or str(error)).lower()}{place}"
    if isinstance(error, Exception):
        # Only the errors above are refusals of input; any other is a failure of ours, and no gate passes on it.
        return FAILURE, _failed(error)
    raise error


def _failed(error: BaseException) -> str:
    """Say that the program failed, and keep the traceback where the user finds it."""
    lines = [f"{visible(line)}\n" for part in traceback.format_exception(error) for line in part.splitlines()]
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
    commands=[
        audit,
        certify,
        cost,
        verify,
        scan,
        defend,
        inspect,
        evaluate,
        federate,
        sanitize,
        attack,
        reproduce,
        datasets,
    ],
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
      toadstone cost enron --error 0.10 --out cost
      toadstone scan mails.csv --text body --label spam --out scanned
      toadstone defend mails.csv --text body --label spam --out defended
      toadstone evaluate mails.csv --text body --label spam --out evaluated
      toadstone inspect models:make@weights.safetensors --images checked
      toadstone federate mnist --clients 50 --malicious 5 --out federated

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
