"""What the shape of a tenant's objects cannot say: that channels exist, that texts can be read, links followed."""

from heliograph.contract.declared.happenings import happening_faults
from heliograph.contract.declared.policies import policy_faults
from heliograph.contract.declared.texts import link_faults, template_faults

__all__ = ["happening_faults", "link_faults", "policy_faults", "template_faults"]
