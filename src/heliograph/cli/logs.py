"""Logs: for people on a terminal, JSON lines otherwise; addresses masked, keys in URLs never shown."""

from __future__ import annotations

import json
import logging
import re
import sys
import time

_LONG_DIGITS = re.compile(r"(?<![\w.-])(\+?\d{3})\d{3,12}(\d{2})(?![\w-]|\.\d)")
_KEY_IN_PATH = re.compile(r"(/messaging/status/)[^/\s]+(/[^/\s])")


def masked(text: str) -> str:
    """The text with phone numbers and keys in paths hidden."""
    return _KEY_IN_PATH.sub(r"\1***\2", _LONG_DIGITS.sub(r"\1***\2", text))


class JsonLines(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """Time, level, logger and the masked message, with the traceback where there is one."""
        line = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": masked(record.getMessage()),
        }
        if record.exc_info:
            line["error"] = masked(self.formatException(record.exc_info))
        return json.dumps(line)


class Human(logging.Formatter):
    """A short line for a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        """Time, level and the masked message."""
        return masked(super().format(record))


def configure(level: str) -> None:
    """Send everything to standard error in the form that fits it."""
    handler = logging.StreamHandler(sys.stderr)
    if sys.stderr.isatty():
        handler.setFormatter(Human("%(asctime)s %(levelname)-7s %(message)s", "%H:%M:%S"))
    else:
        handler.setFormatter(JsonLines())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for chatty in ("httpx", "uvicorn"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
