"""May it go now? The gates in their fixed order, stated once in `CHECKS`."""

from heliograph.policy.gates.case import Case, Looked, Target
from heliograph.policy.gates.order import CHECKS, AddressGate, Gate

__all__ = ["CHECKS", "AddressGate", "Case", "Gate", "Looked", "Target"]
