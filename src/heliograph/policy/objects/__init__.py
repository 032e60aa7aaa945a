"""What a tenant declares, made ready to be asked for every destination. Pure."""

from heliograph.policy.objects.declared import Declared, declared_by

__all__ = ["Declared", "declared_by"]
