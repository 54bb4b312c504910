"""The text of a cost: rows that cannot do a harm, and rows that can."""
