"""Attacks of malicious clients against rules of the server, over several seeds."""
