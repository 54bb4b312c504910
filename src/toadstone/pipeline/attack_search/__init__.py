"""Search for the strongest attack of each method within a budget."""
