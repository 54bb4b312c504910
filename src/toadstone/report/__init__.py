"""Reports: records rendered as pages, text, drawings and files; nothing is computed here."""
