"""Exit codes of the thresholds that a user sets."""
