"""Areas of the platform that are built and run as one, for the composition root."""
