"""The bound of the training loss of several classes for added rows: certifying, proving, verifying."""
