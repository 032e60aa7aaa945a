"""The Event API and the inbound webhooks: bytes in, the verb of events, JSON out."""
