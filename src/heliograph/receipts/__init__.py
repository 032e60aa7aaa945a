"""RECEIVE: a native receipt or a message from a person becomes a durable change."""
