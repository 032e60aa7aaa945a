"""Stand-ins for far ends, speaking their real protocols."""
