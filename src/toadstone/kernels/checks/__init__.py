"""Facts about a table that need no model: near-duplicates, identifiers, order of rows, columns that tell the label."""
