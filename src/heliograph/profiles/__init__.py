"""KNOW: profiles of people, written and read for their owners, and for policy."""
