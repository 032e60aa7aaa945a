"""What happened and what followed from it, for operators."""
