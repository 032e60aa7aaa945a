"""Connections of apps: who is here, what they are given and in which order, what they say of it."""
