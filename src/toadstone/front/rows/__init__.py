"""Rows that callers give beside the data, and their own rows unprepared."""
