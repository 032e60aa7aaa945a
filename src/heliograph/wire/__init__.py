"""How Heliograph speaks to the outside: codecs without I/O, and clients beside them."""
