"""Files in and out in bulk: lists and profiles."""
