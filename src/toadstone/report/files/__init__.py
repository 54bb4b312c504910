"""Files beside a report: folders, tables, SARIF, schemas."""
