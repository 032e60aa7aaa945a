"""The verb of events: what happened is taken, kept, run again and told."""
