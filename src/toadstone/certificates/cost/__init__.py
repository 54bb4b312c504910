"""Certificates of a cost: some number of rows is too few for a harm; fields of the file, and the verifier."""
