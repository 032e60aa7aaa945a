"""SEND: claim, judge again, route, send, record."""
