"""Readers of files: CSV, Parquet, NPZ, svmlight; and writers of the rows that are kept."""
