"""Networks of the caller's, inspected."""
