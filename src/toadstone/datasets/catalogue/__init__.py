"""Public data sets by name: where they come from, their checksums, how they are cached."""
