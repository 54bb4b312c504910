"""A scan as SARIF 2.1.0, which code-scanning platforms and editors read.

Each listed row is a result under the rule of the verdict on its label or its
group or, without a verdict, of the detector that ranks it first; rules
point at the weaknesses of MITRE ATLAS and OWASP that they concern.
"""

from __future__ import annotations

import json
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

from toadstone.records.scan import ListedRow, ScanRecord
from toadstone.report.text.formats import visible
from toadstone.report.text.scan_text import sentence_start, values_of, verdict_on
from toadstone.report.text.wording import detector_in_words

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"

_TAXONOMIES: tuple[dict[str, Any], ...] = (
    {
        "name": "MITRE ATLAS",
        "version": "5.6.0",
        "organization": "MITRE",
        "informationUri": "https://atlas.mitre.org",
        "shortDescription": {"text": "Adversarial threat landscape for AI systems"},
        "taxa": [
            {"id": "AML.T0020", "name": "PoisonTrainingData"},
            {"id": "AML.T0059", "name": "ErodeDatasetIntegrity"},
        ],
    },
    {
        "name": "OWASP Top 10 for LLM Applications",
        "version": "2025",
        "organization": "OWASP",
        "informationUri": "https://genai.owasp.org",
        "shortDescription": {"text": "Risks of applications of language models"},
        "taxa": [{"id": "LLM04:2025", "name": "DataAndModelPoisoning"}],
    },
)

_VERDICTS = {
    "label": "has a label that its values contradict",
    "group": "belongs to a group of rows whose shared values its label does not explain",
}

_CONCERNS = (
    ("MITRE ATLAS", "AML.T0020"),
    ("MITRE ATLAS", "AML.T0059"),
    ("OWASP Top 10 for LLM Applications", "LLM04:2025"),
)


def to_sarif(record: ScanRecord) -> str:
    """Render a scan as SARIF text.

    Parameters
    ----------
    record : ScanRecord

    Returns
    -------
    str
        JSON under the schema of SARIF 2.1.0. A row points at its line where
        rows are lines, and at a logical location ``source#row=NAME`` anyway;
        its hash is a partial fingerprint, so that
        platforms recognize it in the next scan.
    """
    names = [*_VERDICTS] if record.decided else []
    names += [name for name, report in record.detectors.items() if not report.skipped]
    run = {
        "tool": {
            "driver": {
                "name": "toadstone",
                "version": record.header.versions["toadstone"],
                "rules": [_rule(name) for name in names],
                "supportedTaxonomies": [
                    {"name": taxonomy["name"], "index": index} for index, taxonomy in enumerate(_TAXONOMIES)
                ],
            }
        },
        "invocations": [
            {
                "commandLine": record.header.command,
                "executionSuccessful": True,
                # SARIF asks for a time in UTC that ends in Z.
                "endTimeUtc": record.header.created.replace("+00:00", "Z"),
                "toolExecutionNotifications": [
                    {"level": "note", "message": {"text": f"{name} was skipped: {reason}"}}
                    for name, reason in _skipped(record).items()
                ],
            }
        ],
        "taxonomies": list(_TAXONOMIES),
        "results": [_result(row, record, names) for row in record.rows],
        "properties": {
            "listedRows": record.listed_rows,
            "expectedInnocents": record.expected_innocents,
            "rowNames": record.source.sentence,
            "detectors": {
                name: {"flagged": report.flagged, "falseAlarmRate": report.false_alarm_rate}
                for name, report in record.detectors.items()
            },
        },
    }
    return json.dumps(_shown({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}), indent=2, allow_nan=False)


def _shown(part: Any) -> Any:
    """Write hidden characters of all texts as escapes, for viewers that show them as they are."""
    if isinstance(part, dict):
        return {visible(key): _shown(value) for key, value in part.items()}
    if isinstance(part, list | tuple):
        return [_shown(value) for value in part]
    return visible(part) if isinstance(part, str) else part


def _rule(name: str) -> dict[str, Any]:
    return {
        "id": f"toadstone/{name}",
        "name": "".join(part.capitalize() for part in name.split("-")),
        "shortDescription": {"text": f"Suspicious training row ({name})"},
        "fullDescription": {"text": _VERDICTS.get(name) or detector_in_words(name)},
        "defaultConfiguration": {"level": "warning"},
        "relationships": [
            {"target": {"id": taxon, "toolComponent": {"name": taxonomy}}, "kinds": ["relevant"]}
            for taxonomy, taxon in _CONCERNS
        ],
    }


def _result(row: ListedRow, record: ScanRecord, names: list[str]) -> dict[str, Any]:
    first = _rule_of(row, record)
    reasons = [reason for reason in row.reasons if not reason.startswith("labelled ")]
    reasons += [f"{name}: {reason}" for name, reason in row.also_flagged_by.items()]
    said = ". ".join([f"{sentence_start(row, record.source)}, {verdict_on(row)}: {values_of(row)}", *reasons])
    return {
        "ruleId": f"toadstone/{first}",
        "ruleIndex": names.index(first),
        "level": "warning",
        "message": {"text": said},
        "locations": [_location(row, record)],
        # The hash of the row, not its number, so that a row is recognized after others were inserted.
        "partialFingerprints": {"rowSha256/v1": row.fingerprint},
        "rank": round(100 * row.score, 4),
        "taxa": [{"id": taxon, "toolComponent": {"name": taxonomy}} for taxonomy, taxon in _CONCERNS],
        "properties": {
            "label": row.label,
            "suggestedLabel": row.suggested_label,
            "flaggedBy": list(row.also_flagged_by),
        },
    }


def _skipped(record: ScanRecord) -> dict[str, str]:
    verdict = {} if record.verdict is None else {"the verdict": record.verdict.skipped}
    every = verdict | {name: report.skipped for name, report in record.detectors.items()}
    return {name: reason for name, reason in every.items() if reason}


def _rule_of(row: ListedRow, record: ScanRecord) -> str:
    if record.decided:
        return "label" if row.group is None else "group"
    return next(iter(row.also_flagged_by))


def _location(flagged: ListedRow, record: ScanRecord) -> dict[str, Any]:
    row = {"fullyQualifiedName": f"{record.source.location}#row={flagged.row}", "kind": "row"}
    place: dict[str, Any] = {"logicalLocations": [row]}
    # A name of the catalogue or of an object in memory has no suffix, and no file to point at.
    path = PurePath(record.source.location)
    if path.suffix:
        uri = path.as_uri() if path.is_absolute() else quote(path.as_posix(), errors="surrogatepass")
        physical: dict[str, Any] = {"artifactLocation": {"uri": uri}}
        if record.source.numbering == "line":
            physical["region"] = {"startLine": int(flagged.row)}
        place["physicalLocation"] = physical
    return place
