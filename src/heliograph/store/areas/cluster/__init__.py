"""What several processes share beside the messages."""
