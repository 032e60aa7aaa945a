"""Documents in YAML as people write them: `on` and `no` are words and no truth values, a date is its text."""

from __future__ import annotations

import re
from typing import Any

import yaml

_TAG = "tag:yaml.org,2002:"
_LEFT_OUT = (f"{_TAG}bool", f"{_TAG}timestamp")


class _Loader(yaml.SafeLoader):
    """The safe loader with the truth values of YAML 1.2."""

    yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag not in _LEFT_OUT]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


_Loader.add_implicit_resolver(f"{_TAG}bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF"))


def read_yaml(text: str | bytes) -> Any:
    """What a YAML document holds. Raises `yaml.YAMLError`."""
    return yaml.load(text, _Loader)  # noqa: S506 - a safe loader
