"""Where apps connect."""
