"""One verdict for each row: probability of a wrong label, and groups of rows that share what they should not."""
