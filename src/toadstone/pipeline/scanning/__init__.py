"""Parts of a scan: columns and values of the source, groups and facts, and the list of rows."""
