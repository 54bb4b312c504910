"""Federated training in one process: splits of the rows to clients, their local steps, the rounds."""
