"""The harness that checks poison, trains defenders and measures errors."""
