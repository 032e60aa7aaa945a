"""XML as strangers send it: read without document types and entities, within limits."""

from heliograph.wire.xml.guarded import BadXml, Handler, parse
from heliograph.wire.xml.trees import tree

__all__ = ["BadXml", "Handler", "parse", "tree"]
