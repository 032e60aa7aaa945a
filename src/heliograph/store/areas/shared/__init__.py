"""What processes that share a database share beside messages."""
