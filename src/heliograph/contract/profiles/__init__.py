"""The requests of the Profile API, and what a tenant may declare of its profiles."""
