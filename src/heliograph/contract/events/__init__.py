"""Events as callers send them, held against what the tenant declares."""
