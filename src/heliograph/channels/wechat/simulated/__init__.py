"""The parts of the simulator of WeChat: what it does with a message, whom it lets in, what it posts to us."""
