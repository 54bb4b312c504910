"""Readers of CSV, Parquet, NPZ and SVMlight files, and writers of selected rows."""
