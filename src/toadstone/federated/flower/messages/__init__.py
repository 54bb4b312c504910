"""Replies of clients: admission, reading without trust, metrics, and the one reply that a strategy is handed."""
