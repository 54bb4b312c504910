"""Public data sets by name: sources, checksums, downloads and the cache."""
