"""From bytes to messages, or to the one refusal that the published table has for them. No I/O, no clock."""
