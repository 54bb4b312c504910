"""Protocols shared by several experiments of 2022."""
