"""What several processes share: NATS, and its JetStream."""
