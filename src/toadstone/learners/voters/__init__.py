"""Models of which each votes: their training, and their votes as class positions."""
