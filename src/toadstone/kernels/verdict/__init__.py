"""Mathematics of the verdict: noise floor, mined groups of rows, near-copies, evidence about a group."""
