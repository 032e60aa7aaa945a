"""What the store keeps, area by area: the plans of its writes, and its reads over an engine."""
