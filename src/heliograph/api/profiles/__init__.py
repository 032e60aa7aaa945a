"""The Profile API: customers and the profiles of apps."""
