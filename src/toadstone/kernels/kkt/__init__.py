"""KKT conditions: poison whose gradient makes chosen parameters optimal."""
