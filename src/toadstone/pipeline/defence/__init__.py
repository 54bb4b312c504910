"""Treatment of the rows that the verdict lists, and what it cost on rows that it did not choose."""
