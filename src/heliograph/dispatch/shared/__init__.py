"""Work that several processes share: chunks on their way to the broker, and back from it."""
