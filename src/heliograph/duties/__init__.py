"""What processes that share a database agree on: who has which duty, what is left of limits, short-lived tokens."""
