"""Parts of the platform that are built and tied together area by area."""
