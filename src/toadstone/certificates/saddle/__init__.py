"""The bound of the training loss for added rows: certifying, proving, verifying."""
