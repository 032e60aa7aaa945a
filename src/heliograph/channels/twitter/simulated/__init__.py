"""The parts of the simulator of X: what it does with a message, whom it lets in, what it posts to us."""
