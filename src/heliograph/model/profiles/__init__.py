"""Profiles: what a tenant declares of them, what is kept of a customer and of a user of an app, and changes."""
