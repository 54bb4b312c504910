"""Formats of data files: each reads its bytes into a table or arrays, and writes selected rows."""
