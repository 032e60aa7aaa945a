"""What the shape of a tenant's policies cannot say: that channels exist, that texts can be read."""

from heliograph.contract.declared.policies import policy_faults

__all__ = ["policy_faults"]
