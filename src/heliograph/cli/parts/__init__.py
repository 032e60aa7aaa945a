"""Parts of the composition root: each builds, starts and stops what belongs together."""
