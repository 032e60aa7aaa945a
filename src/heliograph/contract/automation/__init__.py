"""What the shape of a tenant's rules cannot say: that what they name exists, and that they come to an end."""

from heliograph.contract.automation.faults import rules_faults

__all__ = ["rules_faults"]
