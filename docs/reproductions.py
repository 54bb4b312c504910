"""Write docs/results/reproductions.md from the records: `python docs/reproductions.py [NAME ...]`.

The experiments that are named run first, and their records are written to docs/results/reproductions/NAME.json.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from toadstone.experiments.catalogue import EXPERIMENTS, find
from toadstone.records.reproduction import Comparison, Reproduction
from toadstone.report.text.comparisons import (
    format_figure,
    interval_cell,
    meanings,
    paper_cell,
    remarks,
    standing_cell,
    summary,
    value_cell,
)

RESULTS = Path(__file__).parent / "results"
RECORDS, PAGE = RESULTS / "reproductions", RESULTS / "reproductions.md"
HEAD = """# Reproductions

`python docs/reproductions.py NAME` on two cores; see `toadstone reproduce --help`. "Plot": read off the drawing;
"secondary": cited by other papers; otherwise from its text.
"""


def main() -> None:
    """Run the named experiments, then render the page from all records."""
    RECORDS.mkdir(exist_ok=True)
    for name in sys.argv[1:]:
        command = [sys.executable, "-m", "toadstone", "reproduce", find(name).name, "--json"]
        (RECORDS / f"{name}.json").write_bytes(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    PAGE.write_text(page(), encoding="utf-8")


def page() -> str:
    """Render the page of all records, in the order of the catalogue."""
    files = [RECORDS / f"{experiment.name}.json" for experiment in EXPERIMENTS]
    records = [Reproduction.from_json(file.read_text(encoding="utf-8")) for file in files if file.exists()]
    return "\n".join([HEAD, *(line for record in records for line in section(record))])


def section(record: Reproduction) -> list[str]:
    """Render a record as lines of Markdown."""
    lines = [f"## {record.name}", "", f"{record.title}. {record.source}.", "", summary(record), ""]
    lines += [f"- {name}: {text}" for name, text in record.setting.items()]
    lines += [f"- Time: {format_figure(record.seconds, 'seconds')}; seed {record.header.seed}", ""]
    lines += ["| | paper | ours | interval | |", "| --- | --- | --- | --- | --- |"]
    lines += [row(comparison) for comparison in record.comparisons]
    lines += [""] + [f"- {'; '.join(rows)}: {text}" for text, rows in remarks(record)]
    lines += [f"- {note}" for note in record.notes]
    return [*lines, *(f"- Interval: {meaning}." for meaning in meanings(record)), ""]


def row(comparison: Comparison) -> str:
    """Render a comparison as a row of a table."""
    cells = (
        comparison.what,
        paper_cell(comparison.paper, comparison.unit),
        value_cell(comparison),
        interval_cell(comparison),
        standing_cell(comparison),
    )
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
