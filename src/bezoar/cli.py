"""The command `bezoar`: parses, calls the pipeline, prints."""

from __future__ import annotations

import io
import json
import shlex
import signal
import sys
import warnings
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import click

import bezoar
from bezoar.commands.attack import attack
from bezoar.console import Progress, columns, complain, in_options, retell, say, usage_sentence
from bezoar.core.errors import BezoarError, InvalidArgument
from bezoar.options import FRACTION, THREAT, Source, choice, epilog, json_flag, number, path, reading

if TYPE_CHECKING:
    from bezoar.core.certificate import Certificate, NormBall, Ridge
    from bezoar.core.dataset import Poison
    from bezoar.core.record import Bound
    from bezoar.pipeline.certify import Certified
    from bezoar.pipeline.cleaning import Cleaning
    from bezoar.pipeline.gate import Verdict

GATE_FAILED, BAD_INPUT, INTERRUPTED, TERMINATED = 1, 2, 130, 143


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
    if code in (0, GATE_FAILED):
        retell(caught)
    if sentence:
        complain(sentence)
    sys.exit(code)


def _stop(number: int, _: FrameType | None) -> None:
    """Leave; deaf to further signals, so that a second one does not stop the clearing up."""
    for stopping in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stopping, signal.SIG_IGN)
    if number == signal.SIGTERM:
        sys.exit(TERMINATED)
    raise KeyboardInterrupt


def _run() -> tuple[int, str]:
    try:
        outcome = bezoar_command.main(prog_name="bezoar", standalone_mode=False)
    except click.ClickException as error:
        return BAD_INPUT, usage_sentence(error)
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED, "interrupted; nothing unfinished was left behind"
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


def _hypothesis(norm_squared: float | None, ridge: float | None) -> NormBall | Ridge | None:
    from bezoar.core.certificate import NormBall, Ridge

    if norm_squared is not None and ridge is not None:
        raise InvalidArgument("--norm-squared and --ridge", "one of them", "both")
    if norm_squared is not None:
        return NormBall(norm_squared)
    return None if ridge is None else Ridge(ridge)


@click.group(
    name="bezoar",
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
      bezoar verify report/certificate.json --data digits-1-7
      bezoar sanitize mails.csv --text body --label spam --out cleaned

    \b
    Exit codes: 0 done, 1 a threshold of yours was exceeded or could not be
    decided, 2 input that cannot be used, 130 interrupted.
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


@bezoar_command.command(
    short_help="Certify, attack, defend, rank rows; write a report.",
    epilog=epilog(
        "bezoar audit digits-1-7 --fraction 0.03 --out report",
        "bezoar audit mails.csv --text body --label spam --fraction 0.01",
        "bezoar audit enron --fraction 0.03 --quantile 0.7 --norm-squared 6",
        "bezoar audit rows.parquet --fraction 0.02 --fail-if-error-above 0.1",
    ),
)
@click.option("--fraction", type=float, default=0.03, show_default=True, metavar="F", help=FRACTION)
@path("--out", "DIR", "New folder for the results.  [default: audit-NAME]")
@json_flag("the record")
@number("--fail-if-certified-above", "B", "Exit 1 unless the certified bound, a training loss, is at most B.")
@number(
    "--fail-if-error-above",
    "E",
    "Exit 1 unless the best defence keeps the test error under attack within E, a share: 0.1 is one in ten.",
)
@number("--remove", "SHARE", "Share of each class that a defence removes, in (0, 0.5).", 0.05)
@path(
    "--poison",
    "NPZ",
    "Evaluate these rows too: X or its CSR parts, and y; within fraction and domain. Repeatable.",
    multiple=True,
)
@THREAT
@reading(click.argument("data"))
def audit(
    source: Source,
    seed: int,
    fraction: float,
    out: Path | None,
    quantile: float,
    norm_squared: float | None,
    ridge: float | None,
    domain: str,
    loss: str,
    tolerance: float | None,
    remove: float,
    poison: Sequence[Path],
    fail_if_certified_above: float | None,
    fail_if_error_above: float | None,
    as_json: bool,
) -> int:
    """Certify, attack, defend, rank suspicious rows, and write a report.

    Writes report.html, record.json, certificate.json with its .npz,
    suspects.csv and poison.npz into a new folder.
    """
    from bezoar.pipeline.audit import Plan, best_error, count_steps
    from bezoar.pipeline.audit import audit as run
    from bezoar.pipeline.gate import check_limit
    from bezoar.report.folders import new_folder, write_audit
    from bezoar.report.text import audit_lines

    check_limit("fail_if_certified_above", fail_if_certified_above)
    check_limit("fail_if_error_above", fail_if_error_above, most=1.0)
    folder = out or Path(f"audit-{source.stem}")
    plan = Plan(
        fraction=fraction,
        quantile=quantile,
        hypothesis=_hypothesis(norm_squared, ridge),
        domain=domain,
        loss=loss,
        contamination=remove,
        tolerance=tolerance,
        seed=seed,
        command=shlex.join(["bezoar", *sys.argv[1:]]),
    )
    with new_folder(folder) as aside, Progress("reading", count_steps(plan, len(poison))) as progress:
        poisons, split = _read_poisons(poison), source.read(domain)
        result = run(split, plan, poisons=poisons, on_stage=progress.announce, on_step=progress.step)
        write_audit(result.record, result.certificate, result.poison, aside)
    if as_json:
        click.echo(result.record.to_json())
        if out is None:
            complain(f"note: the report is {folder / 'report.html'}")
    else:
        say([*audit_lines(result.record, columns()), "", f"Report: {folder / 'report.html'}"])
    point = result.record.headline
    error = best_error(result.record.evaluations)
    return max(
        _gate_bound(point, point.fraction, fail_if_certified_above, conclusive=point.conclusive),
        _gate_error(error, fail_if_error_above, conclusive=point.conclusive),
    )


def _read_poisons(files: Sequence[Path]) -> dict[str, Poison]:
    from bezoar.datasets.rows import read_poison
    from bezoar.pipeline.audit import CANDIDATE

    poisons: dict[str, Poison] = {}
    for file in files:
        if file.stem in {*poisons, CANDIDATE}:
            raise InvalidArgument("poison", f"files of different names, none called {CANDIDATE}", file)
        poisons[file.stem] = read_poison(file)
    return poisons


def _gate_bound(point: Bound | Certificate, fraction: float, limit: float | None, *, conclusive: bool) -> int:
    from bezoar.pipeline.gate import judge_bound
    from bezoar.report.formats import format_bound

    if limit is None:
        return 0
    verdict = judge_bound(point.bound, point.attack_value, limit, conclusive=conclusive)
    found = (
        f"the certified bound at fraction {fraction:.10g} is {format_bound(point.bound, digits=6)}, above {limit:.12g}"
    )
    return _exit_code(verdict, found, "the search stopped early, so the truth may be lower")


def _gate_error(test_error: float, limit: float | None, *, conclusive: bool) -> int:
    from bezoar.pipeline.gate import judge_error

    if limit is None:
        return 0
    verdict = judge_error(test_error, limit, conclusive=conclusive)
    found = f"the best defence leaves a test error of {test_error:.10g} under attack, against a limit of {limit:.12g}"
    return _exit_code(verdict, found, "the search for the attack stopped early, so a stronger one may exist")


def _exit_code(verdict: Verdict, found: str, doubt: str) -> int:
    from bezoar.pipeline.gate import Verdict

    if verdict is Verdict.KEPT:
        return 0
    if verdict is Verdict.EXCEEDED:
        complain(f"gate failed: {found}")
    else:
        complain(f"gate undecided, which fails: {found}; {doubt}")
    return GATE_FAILED


@bezoar_command.command(
    options_metavar="--fraction F [OPTIONS]",
    short_help="Bound what poison can do, for one or more fractions.",
    epilog=epilog(
        "bezoar certify digits-1-7 --fraction 0.01 --fraction 0.03",
        "bezoar certify mails.csv --text body --label spam --fraction 0.03 --json",
        "bezoar certify enron --fraction 0.03 --ridge 0.1 --out certificates",
        "bezoar certify mnist --classes 4,9 --fraction 0.01",
    ),
)
@click.option("--fraction", type=float, multiple=True, required=True, metavar="F", help=f"{FRACTION} Repeatable.")
@path("--out", "DIR", "New folder for certificate files, which `bezoar verify` checks.")
@json_flag("the certificates, a list,")
@number("--fail-if-certified-above", "B", "Exit 1 unless every certified bound, a training loss, is at most B.")
@THREAT
@reading(click.argument("data"))
def certify(
    source: Source,
    seed: int,
    fraction: Sequence[float],
    quantile: float,
    norm_squared: float | None,
    ridge: float | None,
    domain: str,
    loss: str,
    tolerance: float | None,
    out: Path | None,
    fail_if_certified_above: float | None,
    as_json: bool,
) -> int:
    """Bound what poison can do, for one or more fractions.

    The bound holds for every attack that the stated assumptions allow. The
    attack value is what a concrete attack reaches; the truth lies between.
    """
    from bezoar.certificates.files import as_fields
    from bezoar.pipeline.certify import certify_split
    from bezoar.pipeline.gate import check_limit
    from bezoar.report.text import certificate_lines

    check_limit("fail_if_certified_above", fail_if_certified_above)
    hypothesis = _hypothesis(norm_squared, ridge)
    with _new_folder(out) as aside, Progress("reading", len(set(fraction))) as progress:
        split = source.read(domain)
        progress.announce("certificates")
        certified = certify_split(
            split,
            fraction,
            quantile=quantile,
            hypothesis=hypothesis,
            domain=domain,
            loss=loss,
            tolerance=tolerance,
            seed=seed,
            on_certified=progress.step,
        )
        if aside is not None:
            _write_certificates(certified, aside)
    conclusive = [certified.conclusive(certificate) for certificate in certified.certificates]
    if as_json:
        fields = [
            as_fields(result.certificate) | {"conclusive": closed, "seconds": result.seconds}
            for result, closed in zip(certified.results, conclusive, strict=True)
        ]
        click.echo(json.dumps(fields, indent=2, allow_nan=False))
    else:
        say(certificate_lines(certified.certificates, conclusive, split, certified.hypothesis_origin, columns()))
        say([f"Written to {out}."] if out else [])
    return max(
        _gate_bound(certificate, certificate.budget.fraction, fail_if_certified_above, conclusive=closed)
        for certificate, closed in zip(certified.certificates, conclusive, strict=True)
    )


def _new_folder(out: Path | None) -> AbstractContextManager[Path | None]:
    from bezoar.report.folders import new_folder

    return nullcontext() if out is None else new_folder(out)


def _write_certificates(certified: Certified, folder: Path) -> None:
    from bezoar.certificates.files import write_certificate

    for certificate in certified.certificates:
        write_certificate(certificate, folder / f"certificate-{certificate.budget.fraction!r}.json")


@bezoar_command.command(
    options_metavar="--data DATA [OPTIONS]",
    short_help="Check a certificate against the data.",
    epilog=epilog(
        "bezoar verify report/certificate.json --data digits-1-7",
        "bezoar verify report/certificate.json --data rows.csv --label kind",
    ),
)
@click.argument("file", type=click.Path(path_type=Path))
@reading(click.option("--data", required=True, metavar="DATA", help="The data that the certificate is about."))
@json_flag("the certificate")
def verify(file: Path, source: Source, seed: int, as_json: bool) -> None:
    """Check a certificate against the data, solving nothing.

    FILE is a certificate.json with its .npz beside it. Read the data with the
    options with which they were read when it was made. A file that was
    altered, or that does not prove its bound, is refused with exit code 2.
    """
    from bezoar.certificates.files import as_fields, read_certificate
    from bezoar.pipeline.certify import verify_split
    from bezoar.report.text import flow, verified_sentence

    with Progress("checking"):
        certificate = read_certificate(file)
        verify_split(certificate, source.read(certificate.setting.domain))
    if as_json:
        click.echo(json.dumps(as_fields(certificate) | {"verified": True}, indent=2, allow_nan=False))
    else:
        click.echo(flow(verified_sentence(certificate), columns()))


@bezoar_command.command(
    short_help="Remove the most suspicious rows of each class.",
    epilog=epilog(
        "bezoar sanitize digits-1-7 --out cleaned",
        "bezoar sanitize mails.csv --text body --label spam --method knn",
        "bezoar sanitize rows.parquet --method svd --json",
    ),
)
@choice(
    "--method",
    ["l2", "slab", "loss", "svd", "knn"],
    "What makes a row suspicious: its distance to the class mean "
    "(l2), that distance along the line between the means (slab), its loss (loss), its distance from the main "
    "directions (svd) or from its nearest neighbours (knn).",
)
@number("--remove", "SHARE", "Share of each class to remove, in (0, 0.5).", 0.05)
@path("--out", "DIR", "New folder for removed.csv and the kept rows.")
@json_flag("the outcome")
@number("--ridge", "L", "Penalty of the model that loss trains: L/2 times the squared norm.", 0.01)
@choice("--variant", ["paper", "reference"], "Definition of svd and knn: the paper's, or that of its authors' code.")
@reading(click.argument("data"))
def sanitize(
    source: Source,
    seed: int,
    method: str,
    remove: float,
    ridge: float,
    variant: str,
    out: Path | None,
    as_json: bool,
) -> None:
    """Remove the most suspicious rows of each class.

    With --out, writes removed.csv (row, label, score, reason) and the kept
    rows, in the format of DATA, into a new folder. Rows count from 0.
    """
    from bezoar.pipeline.cleaning import clean_rows
    from bezoar.pipeline.evaluate import Defence
    from bezoar.report.text import removal_lines

    defence = Defence(contamination=remove, ridge=ridge, variant=variant, seed=seed)
    with _new_folder(out) as aside, Progress("reading") as progress:
        split = source.read()
        progress.announce(f"sanitizing by {method}")
        cleaning = clean_rows(split, defence, method)
        if aside is not None:
            _write_cleaning(cleaning, aside, Path(source.data))
    if as_json:
        click.echo(json.dumps(cleaning.summary(), indent=2, allow_nan=False))
        return
    click.echo(f"{method} removes {len(cleaning.removals)} of {cleaning.n_rows} rows ({remove:.3g} of each class).")
    say(removal_lines(cleaning.removals, columns()))
    if out is not None:
        click.echo(f"Written to {out}.")


def _write_cleaning(cleaning: Cleaning, folder: Path, source: Path) -> None:
    """The log, and the kept rows: of a file in its own format, of a named data set as arrays."""
    from bezoar.datasets import write_rows
    from bezoar.datasets.rows import write_rows_as_arrays
    from bezoar.report.suspects import write_removals

    write_removals(cleaning.removals, folder / "removed.csv")
    kept = cleaning.data.take(cleaning.kept)
    if source.is_file() and kept.row_ids is not None:
        write_rows(source, sorted(kept.row_ids.tolist()), folder / f"kept{''.join(source.suffixes[-2:])}")
    else:
        write_rows_as_arrays(kept.X, kept.y, folder / "kept.npz")


bezoar_command.add_command(attack)


@bezoar_command.command(epilog="\b\nExamples:\n  bezoar datasets\n  bezoar datasets --json")
@json_flag("the catalogue")
def datasets(as_json: bool) -> None:
    """List the data sets known by name: training rows x columns.

    They are looked for in the folder that the environment variable
    BEZOAR_DATA names, then in the cache, and are otherwise downloaded from
    their publishers when first used.
    """
    from bezoar.datasets import ENTRIES
    from bezoar.report.text import flow

    if as_json:
        click.echo(json.dumps([asdict(entry) for entry in ENTRIES], indent=2, allow_nan=False))
        return
    width = max(len(entry.name) for entry in ENTRIES)
    for entry in ENTRIES:
        start = f"{entry.name:{width}} {entry.rows:>7,} x {entry.features:<6,}  "
        click.echo(flow(start + entry.title, columns(), indent=len(start)))
