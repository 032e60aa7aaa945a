"""TELL: what became of messages, to the URLs of those who sent them; signed, retried, replayable."""
