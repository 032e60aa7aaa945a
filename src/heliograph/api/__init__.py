"""The HTTP edge: bytes in, one verb, JSON out. It decides nothing."""
