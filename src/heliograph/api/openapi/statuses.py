"""The answers of the published API, made from the catalogue: which codes may stand where, and what they mean."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from heliograph import catalogue
from heliograph.catalogue import keys

Schema = dict[str, Any]

QUERY_REFUSALS = (
    keys.SERVICE_KEY_MISSING, keys.NOT_UNDER_THIS_SERVICE, keys.IP_NOT_ALLOWED, keys.SERVICE_INACTIVE,
    keys.INACTIVE_PROFILE, keys.QUERY_VALIDATION_FAILED, keys.TRANSACTION_LIMIT, keys.NO_RESULTS,
    keys.INTERNAL_SERVER_ERROR, keys.INTERNAL_ERROR_AT_ACCEPT,
)  # fmt: skip
"""How a status query may fail (decisions 4); the last one is a fault of ours that nobody expected."""

PROFILE_REFUSALS = (
    keys.INVALID_JSON, keys.AUTHENTICATION_FAILED, keys.SERVICE_KEY_MISSING, keys.CUSTOMER_ID_MISSING,
    keys.RECORDS_MISSING, keys.INVALID_PARAM, keys.INTERNAL_ERROR_AT_ACCEPT, keys.INACTIVE_PROFILE,
    keys.IP_NOT_ALLOWED, keys.BATCH_TOO_LARGE, keys.PROFILE_STORE_MISSING, keys.APP_NOT_LINKED, keys.REQUEST_EXPIRED,
    keys.TRANSACTION_LIMIT, keys.NO_RESULTS,
)  # fmt: skip
"""How a call of the Profile API may fail as a whole (decisions 6)."""

EVENT_REFUSALS = (
    keys.SERVICE_KEY_MISSING, keys.AUTHENTICATION_FAILED, keys.IP_NOT_ALLOWED, keys.SERVICE_IP_NOT_ALLOWED,
    keys.SERVICE_INACTIVE, keys.INVALID_JSON, keys.EVENTS_MISSING, keys.INVALID_VALUE, keys.INVALID_PARAM,
    keys.TRANSACTION_LIMIT, keys.REQUEST_EXPIRED, keys.EVENT_NOT_STORED, keys.INTERNAL_ERROR_AT_ACCEPT,
)  # fmt: skip
"""How a call of the Event API may fail as a whole (decisions 5)."""

HOOK_CODES = (
    keys.QUEUED, keys.INVALID_JSON, keys.AUTHENTICATION_FAILED, keys.SERVICE_KEY_MISSING, keys.EVENT_NOT_STORED,
    keys.INTERNAL_ERROR_AT_ACCEPT, keys.SERVICE_INACTIVE, keys.HOOK_UNKNOWN, keys.IP_NOT_ALLOWED,
    keys.SERVICE_IP_NOT_ALLOWED, keys.TRANSACTION_LIMIT, keys.INVALID_XML, keys.INVALID_SIGNATURE,
    keys.SIGNATURE_MISSING, keys.INVALID_PARAM,
)  # fmt: skip
"""What a call of an inbound webhook may be answered."""

EVENT_ELEMENTS = (keys.QUEUED, keys.INVALID_VALUE, keys.CUSTOM_PARAMETER_MISSING)
"""What may become of an event."""

_SHOWN = ("code", "message", "key", "cause", "fix", "fixed_by", "retry_safe")


def schemas() -> dict[str, Schema]:
    """The components by name."""
    messaging = [row for row in (*catalogue.EXTENSIONS, *catalogue.ROWS) if row.api == catalogue.MESSAGING]
    accept = [row for row in messaging if row.phase == "accept" and row.key != keys.ACCEPTED]
    # What is refused in an element is of the contract, of policy or, measured before sending, of the far end.
    policy = [row for row in messaging if row.phase == "policy" or row.key == keys.ACCEPTED]
    elements = [row for row in messaging if row.phase != "query"]
    queries = [catalogue.find(key, catalogue.STATUS) for key in QUERY_REFUSALS]
    records = [row for row in catalogue.ROWS if row.api == catalogue.STATUS and row.phase != "query"]
    return {
        "Element": _closed(
            {
                "code": {
                    **_codes(policy, "1001: the message is durable and will be sent. Any other: it will not."),
                    "enum": _numbers(elements),
                },
                "transid": _transid(
                    "Of this destination: the first is a bare UUID, the next ones end in `_1`, `_2`."
                ),
                "description": {"type": "string", "description": "The text of the code."},
                "correlationid": {"type": "string", "description": 'The effective one; `""` where there is none.'},
            }
        ),
        "Refusal": _refusal(accept, "Nothing of the call was taken."),
        "QueryRefusal": _refusal(queries, "The query failed."),
        "ProfileRefusal": _refusal(
            [catalogue.find(key, catalogue.PROFILE) for key in PROFILE_REFUSALS], "Nothing of the call was done."
        ),
        "ProfileCode": _codes(
            [row for row in (*catalogue.EXTENSIONS, *catalogue.ROWS) if row.api == catalogue.PROFILE],
            "What became of a record.",
        ),
        "EventRefusal": _refusal(
            [catalogue.find(key, catalogue.EVENT) for key in EVENT_REFUSALS], "No event of the call was taken."
        ),
        "EventElement": _event_element(),
        "HookAnswer": _refusal(
            [catalogue.find(key, catalogue.EVENT) for key in HOOK_CODES],
            "1002: the call is durable. Any other: it was refused.",
        ),
        "StatusCode": {
            "type": "string",
            "enum": _numbers([*elements, *records]),
            "description": "Where the transaction stands; 1001 waits.",
        },
    }


def _event_element() -> Schema:
    rows = [catalogue.find(key, catalogue.EVENT) for key in EVENT_ELEMENTS]
    members = {
        "code": _codes(rows, "1002: the event is durable and its rules will run. Any other: it was refused."),
        "transid": _transid("Of this event: the first is a bare UUID, the next ones end in `_1`, `_2`."),
        "description": {"type": "string", "description": "The text of the code."},
        "correlationid": {"type": "string", "description": 'As it was sent; `""` where there was none.'},
    }
    lacking = {
        **members,
        "code": _codes([catalogue.find(keys.CUSTOM_PARAMETER_MISSING, catalogue.EVENT)], "It lacks parameters."),
        "parameters": {"type": "array", "items": {"type": "string"}, "description": "The parameters that it lacks."},
    }
    return {"anyOf": [_closed(members), _closed(lacking)]}


def _refusal(rows: Iterable[catalogue.Row], told: str) -> Schema:
    response = _closed(
        {
            "code": _codes(rows, told),
            "description": {"type": "string", "description": "The text of the code, the offending value filled in."},
            "transid": _transid("Names this refusal in the log; there is no transaction."),
        }
    )
    return _closed({"response": response})


def _closed(members: dict[str, Schema]) -> Schema:
    """An object with these members and no other: strict clients break on more (decisions 3)."""
    return {"type": "object", "required": list(members), "properties": members, "additionalProperties": False}


def _codes(rows: Iterable[catalogue.Row], told: str) -> Schema:
    known = list(rows)
    return {
        "type": "string",
        "enum": _numbers(known),
        "description": told,
        "x-statuses": [{name: getattr(row, name) for name in _SHOWN} for row in known],
    }


def _numbers(rows: Iterable[catalogue.Row]) -> list[str]:
    return sorted({row.code for row in rows})


def _transid(told: str) -> Schema:
    return {
        "type": "string",
        "pattern": r"^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}(_[1-9][0-9]*)?$",
        "description": told,
    }
