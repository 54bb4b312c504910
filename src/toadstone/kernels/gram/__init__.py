"""Poison behind filters whose centres it moves: the Gram program, its weights and its rows."""
