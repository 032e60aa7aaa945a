"""The runs of rules."""
