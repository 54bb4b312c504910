"""Detection of wrong numeric targets: predictions out of fold, and the verdict."""
