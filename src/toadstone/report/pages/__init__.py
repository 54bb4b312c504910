"""Self-contained HTML pages, one for each kind of record."""
