"""What the channels on Meta's Graph API share: calls, what faults mean, rates, webhooks, and a stand-in."""
