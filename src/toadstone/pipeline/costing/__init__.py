"""The cost of harm in rows: attacks of each kind, and the search for the fewest rows that suffice."""
