"""Log of the rounds of a federation, its summary by client, and the reputation of clients."""
