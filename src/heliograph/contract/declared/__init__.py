"""What the shape of a tenant's policies cannot say: that channels exist and that texts can be read as what they are."""

from heliograph.contract.declared.policies import policy_faults

__all__ = ["policy_faults"]
