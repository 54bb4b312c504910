"""The command `bezoar`: parses, calls the pipeline, prints."""

from __future__ import annotations

import functools
import json
import shlex
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

import bezoar
from bezoar.core.errors import BezoarError, InvalidArgument

if TYPE_CHECKING:
    from tqdm import tqdm

    from bezoar.core.certificate import NormBall, Ridge
    from bezoar.core.record import RunRecord
    from bezoar.datasets.split import Split
    from bezoar.pipeline.cleaning import Cleaning

GATE_FAILED, BAD_INPUT, INTERRUPTED = 1, 2, 130

_F = TypeVar("_F", bound=Callable[..., Any])
_DATA_HELP = """DATA is a file (.csv, .tsv, .parquet, .npz, .svmlight) or a name from `bezoar datasets`."""


def main() -> None:
    """Run the command, and turn what can go wrong into one sentence and an exit code."""
    try:
        outcome = bezoar_command.main(standalone_mode=False)
    except click.exceptions.Exit as leaving:
        sys.exit(leaving.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(BAD_INPUT)
    except (click.Abort, KeyboardInterrupt):
        _complain("interrupted; nothing was left behind")
        sys.exit(INTERRUPTED)
    except BezoarError as error:
        _complain(str(error))
        sys.exit(BAD_INPUT)
    except MemoryError:
        _complain("not enough memory for these data; try fewer rows or columns")
        sys.exit(BAD_INPUT)
    except OSError as error:
        place = f" ({error.filename})" if error.filename else ""
        _complain(f"files: expected to read and write them, got: {(error.strerror or str(error)).lower()}{place}")
        sys.exit(BAD_INPUT)
    sys.exit(outcome if isinstance(outcome, int) else 0)


def _complain(sentence: str) -> None:
    click.echo(f"bezoar: {sentence}", err=True)


def _data_options(data: Callable[[Any], Any]) -> Callable[[_F], _F]:
    """Options that say how DATA is read; the command gets a function that reads it."""
    options = [
        data,
        click.option("--label", metavar="COLUMN", help="Label column of a table [default: label, class, target or y]."),
        click.option("--text", metavar="COLUMN", help="Text column, turned into word weights."),
        click.option(
            "--weighting",
            type=click.Choice(["tfidf", "counts"]),
            default="tfidf",
            show_default=True,
            help="Word weights of a text column.",
        ),
        click.option(
            "--scale",
            type=click.Choice(["auto", "standard", "none"]),
            default="auto",
            show_default=True,
            help="Standardize the columns of a table; auto leaves counts and values within [0, 1] alone.",
        ),
        click.option("--classes", metavar="A,B", help="Keep the rows of these labels only."),
        click.option(
            "--test-share", type=float, default=0.2, show_default=True, help="Held-out rows where no test set is given."
        ),
        click.option("--seed", type=int, default=0, show_default=True, help="Of everything that is random."),
    ]

    def decorate(command: _F) -> _F:
        @functools.wraps(command)
        def reading(**chosen: Any) -> Any:
            names = ("data", "label", "text", "weighting", "scale", "classes", "test_share")
            source = Source(**{name: chosen.pop(name) for name in names}, seed=chosen["seed"])
            return command(source=source, **chosen)

        wrapped: Any = reading
        for option in reversed(options):
            wrapped = option(wrapped)
        return wrapped  # type: ignore[no-any-return]

    return decorate


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

    def read(self) -> Split:
        """Load the data."""
        from bezoar.datasets import load

        chosen = None if self.classes is None else tuple(part.strip() for part in self.classes.split(","))
        return load(
            self.data,
            label=self.label,
            text=self.text,
            weighting=self.weighting,
            scale=self.scale,
            classes=chosen,
            test_share=self.test_share,
            random_state=self.seed,
        )


_POSITIONAL = _data_options(click.argument("data"))
_NAMED = _data_options(click.option("--data", required=True, help=_DATA_HELP))


def _threat_options(command: _F) -> _F:
    """Options that say what is certified."""
    options = [
        click.option(
            "--quantile",
            type=float,
            default=0.95,
            show_default=True,
            help="Clean distances of each class within the filters of the certificate.",
        ),
        click.option("--norm-squared", type=float, metavar="R", help="Models of at most this squared norm."),
        click.option("--ridge", type=float, metavar="L", help="Models with this penalty [default: cross-validated]."),
        click.option(
            "--domain",
            type=click.Choice(["auto", "real", "box", "integer"]),
            default="auto",
            show_default=True,
            help="Values that poison may take; auto looks at the data.",
        ),
        click.option(
            "--loss",
            type=click.Choice(["hinge", "smooth_hinge", "squared_hinge", "logistic"]),
            default="hinge",
            show_default=True,
            help="What the defender minimizes.",
        ),
        click.option(
            "--tolerance",
            type=float,
            metavar="G",
            help="Relative gap at which a search stops [default: 1e-5; 1e-3 beyond two million entries].",
        ),
    ]
    for option in reversed(options):
        command = option(command)
    return command


def _hypothesis(norm_squared: float | None, ridge: float | None) -> NormBall | Ridge | None:
    from bezoar.core.certificate import NormBall, Ridge

    if norm_squared is not None and ridge is not None:
        raise InvalidArgument("--norm-squared and --ridge", "one of them", "both")
    if norm_squared is not None:
        return NormBall(norm_squared)
    return None if ridge is None else Ridge(ridge)


@dataclass(frozen=True)
class Bar:
    """A progress bar on standard error, shown on terminals for work that takes long."""

    shown: tqdm[Any]

    def announce(self, stage: str) -> None:
        """Name what is being done."""
        self.shown.set_description(stage)

    def step(self) -> None:
        """One step further."""
        self.shown.update()


@contextmanager
def _progress(total: int, unit: str) -> Iterator[Bar]:
    from tqdm import tqdm

    with tqdm(total=total, unit=unit, file=sys.stderr, disable=None, leave=False, delay=0.5) as shown:
        yield Bar(shown)


@click.group(name="bezoar", context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(bezoar.__version__, prog_name="bezoar")
def bezoar_command() -> None:
    """Tell how bad data poisoning can get on your data, and which rows look wrong.

    \b
    Start here:
      bezoar audit digits-1-7 --fraction 0.03 --out report
      bezoar audit mails.csv --text body --label spam --fraction 0.01 --out report
      bezoar certify enron --fraction 0.01 --fraction 0.03 --json
      bezoar verify report/certificate.json --data digits-1-7
      bezoar sanitize mails.csv --label spam --out cleaned

    \b
    Exit codes: 0 done, 1 a threshold of yours was exceeded or could not be
    decided, 2 input that cannot be used.
    """


@bezoar_command.command(epilog=_DATA_HELP)
@_POSITIONAL
@click.option("--fraction", type=float, required=True, metavar="F", help="Poisoned rows for each clean row.")
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="New folder [default: audit-NAME].")
@_threat_options
@click.option("--remove", type=float, default=0.05, show_default=True, help="Share of each class a defence removes.")
@click.option(
    "--poison", type=click.Path(path_type=Path), multiple=True, metavar="NPZ", help="Also evaluate this attack."
)
@click.option("--fail-if-certified-above", type=float, metavar="B", help="Exit 1 unless the bound is within B.")
@click.option(
    "--fail-if-error-above",
    type=float,
    metavar="E",
    help="Exit 1 if the best defence leaves a larger test error under attack.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the record as JSON.")
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

    Writes report.html, record.json, certificate.json (with .npz), suspects.csv
    and poison.npz into a new folder.
    """
    from bezoar.datasets.rows import read_poison
    from bezoar.pipeline.audit import Plan, best_error, count_steps
    from bezoar.pipeline.audit import audit as run
    from bezoar.report.folders import new_folder, refuse_existing, write_audit

    plan = Plan(
        fraction=fraction,
        quantile=quantile,
        hypothesis=_hypothesis(norm_squared, ridge),
        domain=domain,
        loss=loss,
        contamination=remove,
        tolerance=tolerance,
        seed=seed,
        command=_typed(),
    )
    if out is not None:
        refuse_existing(out)
    split = source.read()
    folder = out or Path(f"audit-{Path(split.name).stem}")
    with new_folder(folder) as aside, _progress(count_steps(plan, len(poison)), "step") as bar:
        result = run(
            split,
            plan,
            poisons={path.stem: read_poison(path) for path in poison},
            on_stage=bar.announce,
            on_step=bar.step,
        )
        write_audit(result.record, result.certificate, result.poison, aside)
    if as_json:
        click.echo(result.record.to_json())
    else:
        _tell(result.record, folder)
    gates = (
        ("certified bound", result.record.headline.bound, fail_if_certified_above, result.record.headline.conclusive),
        ("test error under attack", best_error(result.record.evaluations), fail_if_error_above, True),
    )
    return max(_gate(*gate) for gate in gates)


@bezoar_command.command(epilog=_DATA_HELP)
@_POSITIONAL
@click.option("--fraction", type=float, multiple=True, required=True, metavar="F", help="Once or more.")
@_threat_options
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="New folder for certificate files.")
@click.option("--fail-if-certified-above", type=float, metavar="B", help="Exit 1 unless every bound is within B.")
@click.option("--json", "as_json", is_flag=True, help="Print the certificates as a JSON list.")
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
    from bezoar.certificates.files import as_fields, write_certificate
    from bezoar.pipeline.certify import certify_split
    from bezoar.report.folders import new_folder, refuse_existing

    hypothesis = _hypothesis(norm_squared, ridge)
    if out is not None:
        refuse_existing(out)
    split = source.read()
    with _progress(len(set(fraction)), "fraction") as bar:
        certified = certify_split(
            split,
            fraction,
            quantile=quantile,
            hypothesis=hypothesis,
            domain=domain,
            loss=loss,
            tolerance=tolerance,
            seed=seed,
            on_certified=bar.step,
        )
    fields = [
        as_fields(result.certificate)
        | {"conclusive": certified.conclusive(result.certificate), "seconds": result.seconds}
        for result in certified.results
    ]
    if out is not None:
        with new_folder(out) as aside:
            for certificate in certified.certificates:
                write_certificate(certificate, aside / f"certificate-{certificate.budget.fraction:g}.json")
    if as_json:
        click.echo(json.dumps(fields, indent=2))
    else:
        _tell_certificates(fields, certified.hypothesis_origin)
    return max(_gate("certified bound", row["bound"], fail_if_certified_above, row["conclusive"]) for row in fields)


@bezoar_command.command()
@click.argument("file", type=click.Path(path_type=Path))
@_NAMED
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON.")
def verify(file: Path, source: Source, seed: int, as_json: bool) -> None:
    """Check a certificate against the data, solving nothing.

    Give the options with which the data were read when it was made. A file
    that was altered, or that does not prove its bound, is refused.
    """
    from bezoar.certificates.files import as_fields, read_certificate
    from bezoar.pipeline.certify import verify_split
    from bezoar.report.formats import format_attack_value, format_bound

    certificate = read_certificate(file)
    verify_split(certificate, source.read())
    if as_json:
        click.echo(json.dumps(as_fields(certificate) | {"verified": True}, indent=2))
        return
    click.echo(
        f"Verified: at fraction {certificate.budget.fraction:g} the {certificate.unit} cannot exceed "
        f"{format_bound(certificate.bound)}; the stored attack reaches {format_attack_value(certificate.attack_value)}."
    )


@bezoar_command.command(epilog=_DATA_HELP)
@_POSITIONAL
@click.option(
    "--method",
    type=click.Choice(["l2", "slab", "loss", "svd", "knn"]),
    default="l2",
    show_default=True,
    help="Which sanitizer.",
)
@click.option("--remove", type=float, default=0.05, show_default=True, help="Share of each class to remove.")
@click.option("--ridge", type=float, default=0.01, show_default=True, help="Penalty of the loss sanitizer's model.")
@click.option(
    "--variant",
    type=click.Choice(["paper", "reference"]),
    default="paper",
    show_default=True,
    help="Definition of svd and knn: the paper's, or the released code's.",
)
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="New folder for kept rows and removals.")
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON.")
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
    rows in the format of DATA into a new folder.
    """
    from bezoar.pipeline.cleaning import clean_rows
    from bezoar.pipeline.evaluate import Defence
    from bezoar.report.folders import new_folder, refuse_existing

    if out is not None:
        refuse_existing(out)
    split = source.read()
    cleaning = clean_rows(split, Defence(contamination=remove, ridge=ridge, variant=variant, seed=seed), method)
    if out is not None:
        with new_folder(out) as aside:
            _write_cleaning(cleaning, aside, Path(source.data))
    if as_json:
        click.echo(json.dumps(cleaning.summary(), indent=2))
        return
    click.echo(f"{method} removes {len(cleaning.removals)} of {cleaning.n_rows} rows ({remove:.3g} of each class).")
    for removal in cleaning.removals[:10]:
        click.echo(f"  row {removal.row}  {removal.label}  {removal.reason}")
    if len(cleaning.removals) > 10:
        click.echo(f"  and {len(cleaning.removals) - 10} more" + ("" if out else "; --out DIR writes them all"))
    if out is not None:
        click.echo(f"Written to {out}.")


@bezoar_command.command()
@click.option("--json", "as_json", is_flag=True, help="Print the catalogue as JSON.")
def datasets(as_json: bool) -> None:
    """List the data sets known by name.

    They are looked for in the folder that BEZOAR_DATA names, then in the
    cache, and otherwise downloaded from their publishers.
    """
    from bezoar.datasets import ENTRIES

    if as_json:
        click.echo(json.dumps([asdict(entry) for entry in ENTRIES], indent=2))
        return
    width = max(len(entry.name) for entry in ENTRIES)
    for entry in ENTRIES:
        click.echo(f"{entry.name:{width}}  {entry.rows:>6} x {entry.features:<6} {entry.title}")


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


def _gate(what: str, value: float, limit: float | None, conclusive: bool) -> int:
    """Judge one threshold: exceeded and undecided both fail."""
    if limit is None or (value <= limit):
        return 0
    undecided = "" if conclusive else " (the search did not finish, so it may be smaller: undecided)"
    _complain(f"gate failed: the {what} is {value:.6g}, above {limit:g}{undecided}")
    return GATE_FAILED


def _typed() -> str:
    return shlex.join(["bezoar", *sys.argv[1:]])


def _tell(record: RunRecord, folder: Path) -> None:
    from bezoar.report.wording import cautions, headline_sentences

    for sentence in headline_sentences(record):
        click.echo(sentence)
    for title, text in cautions(record):
        click.echo(f"{title}: {text}")
    _tell_matrix(record)
    click.echo(f"Report: {folder / 'report.html'}")


def _tell_matrix(record: RunRecord) -> None:
    attacks = list(dict.fromkeys(cell.attack for cell in record.evaluations))
    sanitizers = list(dict.fromkeys(cell.sanitizer for cell in record.evaluations))
    errors = {(cell.attack, cell.sanitizer): cell.test_error for cell in record.evaluations}
    width = max(12, *(len(name) for name in attacks))
    click.echo("\nTest error, %".ljust(width + 2) + "".join(f"{name:>8}" for name in sanitizers))
    for attack in attacks:
        title = "no attack" if attack == "none" else attack
        click.echo(f"{title:{width}} " + "".join(f"{100 * errors[attack, name]:8.2f}" for name in sanitizers))
    click.echo()


def _tell_certificates(fields: Sequence[dict[str, Any]], origin: str) -> None:
    from bezoar.report.formats import format_attack_value, format_bound

    first = fields[0]
    click.echo(
        f"{first['unit']}; {first['hypothesis'].replace('_', ' ')} {first['hypothesis_value']:g} ({origin}); "
        f"filters {' and '.join(first['sanitizers'])} at quantile {first['quantile']:g}; domain {first['domain']}"
    )
    click.echo(f"{'fraction':>10} {'attack':>10} {'bound':>10}")
    for row in fields:
        note = "" if row["conclusive"] else "  not conclusive: the gap was not closed"
        attack, bound = format_attack_value(row["attack_value"], digits=5), format_bound(row["bound"], digits=5)
        click.echo(f"{row['fraction']:>10g} {attack:>10} {bound:>10}{note}")
    click.echo("Assumed:")
    for sentence in first["assumptions"]:
        click.echo(f"  - {sentence}")
