"""The verb of rules: what happened is matched, and what follows from it is done, each step once."""
