"""SMPP 3.4 of our own: codec, segments, receipts and session without I/O; client and server beside them."""
