"""Heliograph: one Messaging API over many channels, with a status code for everything that can happen."""

__version__ = "0.1.0"
