"""From columns to arrays: numbers, categories, text, labels, domains, trusted rows."""
