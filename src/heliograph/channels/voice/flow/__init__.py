"""Call flows: their steps, read and checked, and the conversation that follows them."""
