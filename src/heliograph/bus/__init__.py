"""Wake-ups and fan-out between the parts of one process."""
