"""Nouns of the package: data sets, budgets, feasible sets, certificates, errors."""
