"""Attacks by clients of a federated training: frozen dataclasses whose fields are knowledge and strength."""
