"""Sentences for the reference pages that have no home in the code; `generate.py` stops when one is missing."""

from __future__ import annotations

SETTINGS_HEAD = """# Settings

A setting may be given in three places. The command line wins over the environment, the environment over the file
`{file}` in the data folder, and the file over the default. In the file a name is written without `{prefix}`, in
small or capital letters:

```toml
listen = "0.0.0.0:8080"
retention_days = 90
```

All settings are checked together when the process starts. A name that is not in this table, or a value that does not
fit, stops the start with a sentence that says where it came from.

"""

COMMANDS_HEAD = """# Commands

`serve`, `demo` and `simulate` run until they are stopped. `codes` needs no server. All others talk to a running
server: they find it by `--listen`, and the commands that use the admin API find its token in the data folder
(`--data`) or in `HELIOGRAPH_ADMIN_TOKEN`.

The exit status is 0 for success, 1 for a refusal (the server, the workspace or a setting said no) and 2 for a command
that was typed wrongly. An error names the thing that is wrong and how to mend it.
"""

SECTIONS = {
    "public": "Messaging and status",
    "profiles": "Profiles",
    "operation": "Watching the process",
    "admin": "Admin",
    "bin": "The webhook bin",
}

ENDPOINTS_HEAD = """# Endpoints

Calls of the Messaging, Event and status API carry the service key in the header `key`, or a JSON web token as
`Authorization: Bearer <token>`, which wins over a key. They are answered with HTTP 200 and a code in the body; see
[codes](codes.md). A trailing slash makes no difference there.

A token is signed with HS256 and a secret of the service's `jwt` list, base64-decoded. It says the secret's `id` in
`iss` and the time in `iat` (Unix seconds), and is good for 60 minutes from then, or less with an `exp`; `nbf` is
honoured, and a clock may be 60 seconds ahead. Any other is refused with 7001, with 7601 on the status API.

A call of the Messaging or the Event API, or of a hook, may name itself with a header `Idempotency-Key` of 1 to 255
characters. For 24 hours the same service gets, for the same key and the same body, the answer that was given first,
and nothing is sent again. The same key with another body is refused with 7004. A call that was refused as a whole
took nothing, so it may be sent again with its key.

Where the tenant has [limits](workspace.md), answers say how far the caller is from the one it will meet first, in
the headers `x-rate-limit-limit`, `x-rate-limit-remaining` and `x-rate-limit-reset` (Unix seconds: when the rate is
whole again, or the next UTC day begins). Above a limit nothing of a call is taken, and it gets 7020.

Calls of the Profile API carry the tenant's profile key in the header `key`. The paths of both versions do the same;
see [profiles](../howto/profiles.md).
How-to pages have more on [authentication](../howto/authentication.md), [limits](../howto/limits.md),
[`Idempotency-Key`](../howto/idempotency.md) and [errors](../howto/read-an-error.md).

Calls of the admin API carry `Authorization: Bearer <admin token>` and are answered with the usual HTTP statuses.
Times are Unix milliseconds. An error has one shape:

```json
{"error": {"key": "not_found", "message": "there is no callback 1.0.2", "field": "id"}}
```
"""

ENDPOINTS_TAIL = """
A bin is told how to meet the next calls by a JSON object with any of these members: `secret` (check signatures with
it), `status` (answer that), `hang` (seconds to wait first), `drop` (close the connection without an answer), `times`
(for so many calls; 0 is until told otherwise).
"""

_CUSTOMERS, _USERS = "customerprofile", "customerappprofile/{appid}"
_PROFILES = {
    f"POST {{}}{_CUSTOMERS}": "Create up to 100 customers; each record has its own code.",
    f"PUT {{}}{_CUSTOMERS}": "Change them: attributes that are not named stay, an empty value takes one away.",
    f"GET {{}}{_CUSTOMERS}": "Read customers, `?customerId=` up to 100 times; `showinwardlinks` (0, 1, 2) adds the "
    "profiles of apps that link to them.",
    f"DELETE {{}}{_CUSTOMERS}": "Delete customers, named in the same way.",
    f"GET {{}}{_CUSTOMERS}/{{customerid}}": "Read one customer, by id or alias.",
    f"DELETE {{}}{_CUSTOMERS}/{{customerid}}": "Delete one.",
    f"POST {{}}{_USERS}": "Create up to 100 profiles of an app.",
    f"PUT {{}}{_USERS}": "Change them; the customer's id links them.",
    f"GET {{}}{_USERS}": "Read profiles of an app: `?identifier=` users, or `?customerId=`.",
    f"DELETE {{}}{_USERS}": "Delete them, named in the same way.",
    f"GET {{}}{_USERS}/{{customerid}}": "Read the profiles of a customer.",
    f"DELETE {{}}{_USERS}/{{customerid}}": "Delete them.",
    f"DELETE {{}}{_USERS}/{{customerid}}/{{deviceid}}": "Delete one device of a user, or of a customer.",
    "PUT {}customerprofiles/{appid}": "The same as `customerappprofile`, as an old page has it.",
    "GET {}profile/status/{transid}": "What became of a write; 7600 while it waits.",
}
PROFILES = {
    call.replace("{}", f"/resources/{version}/"): text for version in ("v2", "v1") for call, text in _PROFILES.items()
}

ENDPOINTS = {
    "POST /resources/v1/messaging": "Send: one object or a list of objects, 1,000 destinations and 4 MiB at most. "
    "An accepted call is answered with one element per destination, a refused call with one object.",
    "GET /resources/v1/messaging/status/{transid}": "What became of a transaction. A bare UUID gives every "
    "destination of the call, `<uuid>_1` one of them.",
    "GET /resources/v1/messaging/status/{servicekey}/{transid}": "The same with the key in the path. Prefer the "
    "header: a path is written to the logs of whatever stands between.",
    "GET /resources/v1/messaging/presence/{appid}/{userid}": "Whether a user of an app is connected in real time; "
    "7602 where not.",
    "POST /resources/v1/messaging/typing/{appid}/{userid}": "The user's connected apps show that somebody types: "
    "`thread`, `on`; 7602 where none is connected.",
    "GET /l/{code}": "A short link leads on; the first click of a destination is told as `Clicked` where that is "
    "asked for.",
    "GET /callbacks/{channel}/{tenant}/{way}": "Providers check that the URL is ours; `way` is the app's id or the "
    "connector's name, in the sandbox with `~sandbox` behind it.",
    "POST /callbacks/{channel}/{tenant}/{way}": "Providers, and apps that got a push, tell of receipts and messages; "
    "signatures are checked; the answer comes once all of it is durable, else 503 and the provider calls again.",
    **PROFILES,
    "POST /resources/v1/events/externalevent": "Send up to 100 events; each has its own code. See "
    "[events](../howto/events.md).",
    "POST /events/{hook}": "Others tell of what happened, in any JSON or XML; see "
    "[inbound webhooks](../howto/hooks.md).",
    "OPTIONS /events/{hook}": "Browsers ask whether a page may.",
    "GET /healthz": "The process is up.",
    "GET /readyz": (
        "The store, the broker, the roles, the duties and the connectors; 503 while the process starts or drains, or "
        "the database is away."
    ),
    "GET /metrics": "Counters in the text form of Prometheus; see [metrics](metrics.md).",
    "GET /openapi.json": "All of this as OpenAPI 3.1, but for the webhook bin.",
    "GET /docs": "The same as a page where calls can be tried; it loads nothing from elsewhere.",
    "GET /docs/rt": "A page to try [in-app messages](../../src/heliograph/channels/rt/README.md) with.",
    "GET /docs/rt/{script}": "Its scripts; `heliograph.js` is [the client](../../clients/web/README.md).",
    "POST /sim/bin/{name}": "Keep this call.",
    "GET /sim/bin/{name}": "The calls that were kept, each with its headers, its body and the verdict on its "
    "signature: `valid`, `invalid`, `absent` or `unchecked`.",
    "PUT /sim/bin/{name}": "Say how the next calls are met.",
    "POST /sim/bin/{name}/behave": "The same.",
    "DELETE /sim/bin/{name}": "Forget the calls.",
}

QUERIES = {
    "GET /admin/v1/tenants/{tenant}/profiles": "Page with `limit` (500 at most) and `cursor`. Each profile is a "
    "record as a write takes it; tokens of users stand as `***`. The first page is noted in the audit.",
    "POST /admin/v1/tenants/{tenant}/erasures": "The answer counts what went; `waiting` messages were on their way "
    "and kept their address: call again once they ended. In a call to several people the text stays for the others. "
    "The audit notes a fingerprint of the person and the counts.",
    "GET /admin/v1/audit": "Page with `limit` and `cursor`.",
    "GET /admin/v1/tenants/{tenant}/messages": "Narrow it with `channel`, `service`, `code`, `state`, `destination`, "
    "`correlationid`, `from`, `to`; page with `limit` (500 at most) and `cursor`.",
    "POST /admin/v1/tenants/{tenant}/explain": "`service` says who would send it. `faults` are against the whole "
    "call; each destination has its own, with the text, its parts and encoding, the sender and the connector. "
    "`price` is what it would cost, null where the tenant has no billing; `earliest` is when it may be sent, now "
    "where nothing is against it.",
    "POST /admin/v1/tenants/{tenant}/whatif": "The body holds members of the tenant (`spam_words`, `social_hours`, "
    "`dnd`, `dnd_exempt`, `frequency_caps`, `billing`, `verified_only`, `timezone`, `senders`, `templates`), or a "
    "whole workspace. Narrow it with `from` (a week ago by default), `to`, `channel`, `service`; `limit` is 100,000 "
    "at most.",
    "GET /admin/v1/tenants/{tenant}/dnd": "`address` asks for one; page with `limit` (1,000 at most) and `cursor`.",
    "POST /admin/v1/tenants/{tenant}/dnd": "An entry has the members of `dnd` in the [workspace](workspace.md). "
    "`refused` names those that were not right, by their place.",
    "GET /admin/v1/services/{service}/keys": "`tenant` says whose service, where its id leaves a doubt.",
    "POST /admin/v1/services/{service}/keys": "With two keys it is refused, unless `rotate=true` ends all but the "
    "newest of them; the answer names what it ended. A workspace file that declares `keys` undoes this when it is "
    "applied.",
    "GET /admin/v1/callbacks": "`state` is `pending`, `done`, `parked` (the default) or `failed`, which means "
    "parked; `limit` is 500 at most.",
    "GET /admin/v1/events": "`state` is `new`, `matched`, `unresolved`, `done` or `ignored`; narrow it with `tenant` "
    "and `name`, page with `limit` (500 at most) and `cursor`.",
    "GET /admin/v1/tenants/{tenant}/runs": "`state` is `open`, `awaiting`, `done`, `failed` or `refused`; narrow it "
    "with `rule`, or `event` for the runs of one. Each step says what it came to; see [rules](../howto/rules.md).",
    "POST /admin/v1/events/rerun": "Left out, `name` means every event and hook.",
    "GET /admin/v1/receipts/unmatched": "`limit` is 500 at most.",
}

METRICS_HEAD = """# Metrics

`GET /metrics` gives these and, beside them, what the Prometheus client says of every process (`process_*`,
`python_info`). All numbers begin at nothing when the process starts. Each metric of the first table has one label,
`what`.

"""

CREDENTIALS = """
Of the credentials of each app and account, with the labels `connector` (the name of its lane) and `system` (of an app
for push: `android`, `ios`, `web`):

"""

METRICS = {
    "intake": {
        "calls": "Calls that were taken.",
        "destinations": "Destinations in them.",
        "refused": "Destinations that policy refused in the answer.",
        "rejected": "Calls that the contract refused as a whole.",
        "limited": "Calls that were over a limit of their tenant.",
        "replayed": "Calls that were answered with what their `Idempotency-Key` was answered before.",
    },
    "dispatch": {
        "submitted": "The far end took the message.",
        "refused": "The far end refused it for good.",
        "retried": "An attempt failed and another follows.",
        "unanswered": "The message was written and its answer will not come.",
    },
    "receipts": {
        "receipts": "Receipts that came.",
        "unmatched": "Receipts whose message was not known yet.",
        "reachability": "News that an address can no longer be reached, or can again.",
        "late": "Receipts that came before the answer to their submit and were matched then.",
        "inbound": "Messages from people.",
    },
    "notify": {
        "sent": "Callbacks that were answered with 2xx.",
        "failed": "Tries that were not.",
        "retried": "Failed tries that are tried again.",
        "parked": "Callbacks given up; they can be replayed.",
    },
    "profiles": {
        "calls": "Writes of the Profile API and of imports.",
        "records": "Profiles in them.",
        "failed": "Profiles that were not written.",
        "queued": "Profiles that wait or waited for a worker.",
        "done": "Jobs that a worker did.",
        "late": "Jobs whose deadline passed first.",
    },
    "events": {
        "calls": "Calls of the Event API that were taken.",
        "events": "Events in them that were taken.",
        "refused": "Events that were refused in the answer.",
        "rejected": "Calls that were refused as a whole.",
        "limited": "Calls that were over `event_per_second`.",
        "replayed": "Calls that were answered with what their `Idempotency-Key` was answered before.",
        "unresolved": "Events that no rule was for when they came.",
        "hook_calls": "Calls of inbound webhooks that were taken.",
        "hook_ignored": "Calls that the filter of their hook left out.",
        "hook_rejected": "Calls that were refused.",
        "hook_unresolved": "Calls that no rule was for when they came.",
        "rerun": "Events and calls of hooks that were run again.",
    },
    "realtime": {
        "connections": "Devices that connected.",
        "kept": "Messages that were kept for users of apps.",
        "given": "Messages that went to a connected device at once.",
        "caught_up": "Messages that a device was given because it had been away, or slow.",
        "acknowledged": "Messages that a device said it has.",
        "refused": "Messages that an app said it cannot show.",
        "read": "Read marks.",
        "written": "Messages that users wrote in apps.",
    },
    "bus": {
        "published": "Chunks that this process gave to the broker as soon as they were accepted.",
        "unpublished": "Chunks that it could not give to it then; they wait in the outbox.",
        "relayed": "Chunks from the outbox that this process published.",
        "taken": "Chunks that it took from the broker.",
        "again": "Messages that a process that is gone was sending; queued again, flagged as possible duplicates.",
        "given": "Chunks that it gave back: all that is left of them waits for a moment, or for another process.",
        "parked": "Chunks that came too often without an end; see `GET /admin/v1/parked`.",
    },
    "rules": {
        "matched": "What happened and a rule followed from.",
        "unresolved": "What happened and no rule was met.",
        "loops": "Runs that were refused because rules set each other off without end.",
        "done": "Runs that ended well.",
        "failed": "Runs in which something failed.",
        "sends": "Messages that were taken.",
        "refused": "Messages that were refused.",
        "notified": "Calls of URLs.",
        "profiles": "Changes of profiles.",
        "dnd": "Entries of do-not-disturb lists.",
        "emitted": "Events.",
    },
    "store": {
        "commits": "Transactions of the database.",
        "operations": "Writes in them; divided by the commits this is the size of a group.",
    },
    "queue": {
        "waiting": "Request elements and loaded rows that wait for a connector.",
        "claimed": "Messages marked as being sent and not yet handed to the connector.",
        "under_way": "Messages whose answer is awaited.",
        "callbacks_queued": "Callbacks in memory that wait.",
        "rules_new": "What happened and rules were not looked for yet.",
        "rules_runs": "Runs that are carried out or wait for their turn.",
        "rules_awaiting": "Runs that wait for a message to get there.",
        "callbacks_under_way": "Callbacks whose answer is awaited.",
        "apps_connected": "Devices that hold a WebSocket to this process.",
        "chunks_held": "Chunks that this process took from the broker and that have no end yet.",
    },
}


WORKSPACE_HEAD = """# Workspace

The workspace is one document, YAML or JSON, that says who may send what, and how. `heliograph plan FILE` shows what
it would change, `heliograph apply FILE` declares it: all of it or, with an error, nothing. Applying the same document
twice changes nothing. What a document leaves out is gone after it was applied, except the keys of a service that
declares none: a service that is new gets a key, which is shown once, and a known one keeps what it has.

A member that is not on this page is refused. Where `***` stands for a secret in an export, giving it back leaves the
secret as it is. """

VOLUME = {
    "messaging_per_second": "Destinations a second, with one second of burst. A call with more destinations than "
    "this never passes; split it.",
    "messaging_per_day": "Destinations a UTC day, counted from when the limit was declared. What policy refuses "
    "for one destination counts, what the contract refuses does not.",
    "messaging_per_week": "The same from Monday to Sunday, UTC.",
    "messaging_per_month": "The same in a month, UTC.",
}
WORKSPACE: dict[str, dict[str, str]] = {
    "Document": {"tenants": "The customers of this installation."},
    "Tenant": {
        "id": "1 to 64 letters, digits, dots, dashes or underscores.",
        "name": "For people.",
        "status": "A suspended tenant is refused: 7007 when it sends, 7008 for what waits and for queries.",
        "timezone": "A name such as `Europe/London`.",
        "clock_ahead": "For tests: how many seconds the clock by which its messages are judged and expire is ahead "
        "of ours. Only where all services are in the sandbox; the admin API sets it too.",
        "profile_key": "The key of the Profile API, 8 to 128 characters; kept as a hash. A tenant with a "
        "`profile_store` that declares none gets one, which is shown once.",
        "ip_allowlist": "Addresses and CIDR blocks that may call; empty lets everyone call. Others get 7010.",
        "allow_private_targets": "Callbacks may go to loopback and private addresses.",
        "verified_only": "Messages go to verified profiles only; others, and addresses without a profile, get 7116.",
        "profile_async": "Writes of profiles are answered before they are done (202); what became of them is asked "
        "for by their transid.",
        "limits": "How much may be asked for; above it calls get 7020.",
        "billing": "A prepaid account and its prices; without it nothing costs anything.",
        "dnd": "Addresses to leave alone (7109). Those that people and imports add are not in this document.",
        "dnd_exempt": "Categories of messages that an entry without a category does not hold back.",
        "opt_out": "The words with which people stop and start messages; `null` for none.",
        "frequency_caps": "How often one address may be written to; above it it gets 7109, with the reason "
        "`frequency_cap`.",
        "spam_words": "Words and expressions that no text may hold (7111): text for a word or phrase, or an object. "
        "They are found in any case, with accents, and with letters and digits that look like theirs.",
        "social_hours": "When people may be written to: one set of hours, or a list, of which the first counts "
        "that is for the channel and the country.",
        "profile_store": "The store of customer profiles; without it they get 7013. See "
        "[profiles](../howto/profiles.md).",
        "senders": "Addresses that messages may come from.",
        "connectors": "Configured ways out.",
        "apps": "Apps and accounts that push, real-time and social messages go out by.",
        "templates": "Stored texts.",
        "links": "Smart links: `{{link_<id>}}` in a text becomes a short URL of each destination's own.",
        "link_domains": "Domain names that lead to this server, for short links: `go.example.com`.",
        "prompts": "Audio for calls, each with `id` and `file`; see "
        "[voice](../../src/heliograph/channels/voice/README.md).",
        "callflows": "What calls say and ask, each with `id` and `steps`; see "
        "[voice](../../src/heliograph/channels/voice/README.md).",
        "push_categories": "Sets of buttons of the tenant's own, beside the shipped ones; see "
        "[push](../../src/heliograph/channels/push/README.md).",
        "hooks": "URLs that others call with JSON or XML of their own; see [inbound webhooks](../howto/hooks.md).",
        "events": "Events that callers send; see [events](../howto/events.md).",
        "rules": "What is done by itself when something happens; see [rules](../howto/rules.md).",
        "services": "Units of traffic, each with its keys.",
    },
    "Limits": {
        **VOLUME,
        "channels": "The same limits for one channel each.",
        "event_per_second": "Events and calls of hooks a second, with one second of burst. A call with more events "
        "than that is refused.",
        "profile_per_second": "Calls of the Profile API a second, with one second of burst.",
        "status_per_second": "Status queries a second, with one second of burst.",
    },
    "Billing": {
        "currency": "Three letters, for people.",
        "balance": 'Decimal text, `"100.00"`: what the account was opened with.',
        "rate_plan": "Prices. A destination without one gets 7115.",
    },
    "Rate": {
        "channel": "On which channel.",
        "price": "Decimal text with up to six decimals, for one unit.",
        "prefix": "The first digits of the number. The longest prefix counts; empty is for all destinations.",
        "unit": "What is paid for: each part of a message, the message, or the minutes of a call.",
        "pulse": "How minutes are counted, in seconds: `60`, or `30+6` for a first block and those after it.",
    },
    "DndEntry": {
        "address": "A number or an id, as calls give it; `+`, blanks and `00` make no difference.",
        "channel": "On which channel; empty is all of them.",
        "category": "Only messages of this category; empty is all that are not exempt.",
        "reason": "For people.",
        "expires": "A date or a moment from which it counts no more.",
    },
    "OptOut": {
        "stop": "Who writes one of these and nothing else is put on the list for the channel.",
        "start": "Who writes one of these is taken off it, if such a word had put them there.",
        "category": "Only for messages of this category; empty is all.",
        "reply_stop": "What is answered, on SMS; empty is nothing.",
        "reply_start": "The same for who starts again.",
    },
    "FrequencyCap": {
        "most": "How many messages one address gets.",
        "per": "In which stretch of the calendar.",
        "channel": "Counts the messages of one channel; empty is all together.",
        "category": "Counts the messages of one category; empty is all that are not exempt.",
        "zone": "Whose calendar: UTC, or the tenant's time zone.",
        "exempt": "Categories that are neither counted nor held back.",
    },
    "SpamWord": {
        "word": "A word or phrase; a longer word that holds it is another word.",
        "regex": "A regular expression of RE2, without regard to case.",
        "channels": "On which channels; empty is all.",
    },
    "SocialHours": {
        "zone": "Where the time of a destination is looked up first: in its profile, else in the prefix of its "
        "number, else with the tenant. A prefix of several zones is open when all of them are; if they never are "
        "together, the tenant's zone counts.",
        "windows": "When it is open.",
        "preset": "Windows by a name, instead: `office` (Monday to Friday 9 to 18), `daytime` (8 to 20), `us_tcpa` "
        "(8 to 21), `india_trai` (9 to 21).",
        "holidays": "Days that are closed: `2030-12-24`, or `12-25` for every year.",
        "channels": "For which channels; empty is all.",
        "countries": "For numbers of which countries, `GB`; empty is all.",
        "outside": "`reject` refuses with 7113, `hold` keeps the message until the next opening.",
        "exempt": "Categories that may go at any time.",
    },
    "Window": {
        "start": "The first minute, `09:00`.",
        "end": "The first minute after it; before `start` it is of the next day, `24:00` is midnight.",
        "days": "On which days it starts; all of them by default.",
    },
    "ProfileStore": {
        "attributes": "What may be known of a customer; another name gets 7017. `msisdn`, `email`, `name`, `status`, "
        "`verified`, `timezone` and `locale` need no declaration.",
    },
    "Attribute": {
        "name": "Begins with a letter; matched in any case.",
        "type": "What a value must look like, else 7011.",
        "mandatory": "Must be there when a customer is created, else 7003. Left out it is so for `msisdn` alone.",
        "max_length": "Characters of a string.",
        "alias": "Its value is another name of the customer, which no other may have: it is read by it, and it is a "
        "`customerid` in destinations. It holds for what is written from then on.",
    },
    "EventSpec": {
        "id": "What `evtid` of a call names: 1 to 64 letters, digits, dots, dashes or underscores.",
        "name": "For people, and for rules.",
        "services": "Which services may send it; empty is all. From another one it is kept as unresolved.",
        "parameters": "What comes with it; others go on as they are.",
    },
    "Hook": {
        "id": "10 to 12 capital letters and digits; the URL is `/events/<id>`, so no two tenants may have the same.",
        "service": "Whose events its calls are: its allow-list counts, and rules act in its name.",
        "name": "For people.",
        "status": "An inactive hook gets 7008.",
        "auth": "`key` takes a service key or a token of the service, `jwt` only a token; others get 7001 or 7002.",
        "signature": "How calls are signed; without it they need not be.",
        "when": "Only calls that fulfil all of these conditions set rules off; others are kept as ignored.",
        "cors": "Origins whose pages may call it, `https://shop.example.com`, or `*` for all; empty is none.",
        "max_bytes": "How large a body may be; a larger one is answered with HTTP 430.",
    },
    "Rule": {
        "name": "1 to 64 characters; no two rules of a tenant have the same.",
        "on": "What sets it off: one of its members.",
        "when": "Conditions that must all hold; none always do.",
        "then": "What is done, one after the other: 1 to 64 actions, those in `otherwise` among them.",
        "status": "An inactive rule is never set off. What runs already goes on.",
        "service": "Which service acts; empty is the one that it happened to, or the only one of the tenant.",
        "person": "Whose profile `profile.` means: `customerid`, `msisdn` or `email` with a value. Left out it is "
        "whoever wrote, clicked, got the message, or was changed.",
        "since": "From when on it is in force, `2030-01-31T12:00:00Z` or `2030-01-31`, by the tenant's clock.",
        "until": "Until when.",
    },
    "On": {
        "event": "The `id` of an event of the tenant.",
        "hook": "The `id` of a hook of the tenant.",
        "inbound": "A message from a person.",
        "receipt": "What became of a message: a state that receipts tell.",
        "click": "Somebody followed a short link for the first time.",
        "profile": "A customer profile was created, changed or deleted.",
    },
    "OnInbound": {
        "channel": "Empty is every channel.",
        "to": "Which of our addresses it went to; empty is every one.",
        "keyword": "Its first word, in any capitals; empty is every one.",
    },
    "OnReceipt": {
        "channel": "Empty is every channel.",
        "states": "Words of receipts, such as `Failed`; empty is every one, also those that nobody is told.",
        "codes": 'Codes, such as `"7206"`; empty is every one.',
    },
    "OnClick": {"link": "The `id` of a link of the tenant; empty is every one."},
    "OnProfile": {
        "acts": "What was done to it; empty is anything.",
        "attributes": "Attributes of which one must have changed; empty is any.",
    },
    "Condition": {
        "field": "A dotted name: of what happened (`parameters.city`), of it itself (`occurrence.service`), or of a "
        "profile (`profile.city`). A list stands for each of its elements.",
        "op": "How it is compared. `not_equals`, `not_contains` and `not_in` hold for a field without a value.",
        "value": "What it is compared with; a text may hold `${...}`. For `in` a list, for `regex` an expression of "
        "RE2, for `exists` true or false.",
        "ignore_case": "Capital and small letters are alike; an expression says `(?i)` itself.",
        "all": "Conditions that must all hold.",
        "any": "Conditions of which one must hold.",
        "not": "A condition that must not hold.",
    },
    "Action": {
        "send": "A message.",
        "notify": "A call of a URL.",
        "profile": "A change of a customer profile.",
        "dnd": "An entry of the do-not-disturb list.",
        "emit": "An event, which has rules of its own.",
        "wait": "A time in which nothing is done, `2m`; 31 days at most, 3 s in a fast sandbox.",
        "stop": "Ends the run.",
        "when": "Conditions that must all hold for this action.",
        "within": "Beside `send`: how long it has to get there, `2m`. Without it nobody waits.",
        "reached": "What getting there means.",
        "otherwise": "What is done when it was refused, failed, or did not get there in time.",
    },
    "Send": {
        "channel": "Any channel.",
        "to": "Whom it goes to: addresses by their kind, as in `destination` of a call.",
        "template": "The `id` of a template of the channel, or `id@version`.",
        "parameters": "What fills the template; one without a value is left out.",
        "content": "The channel's object as in a call, in place of a template or over it.",
        "correlation": "The correlation id; left out it is that of the event.",
        "callback_data": "What receipts give back.",
        "priority": "1 to 5; 0 is the usual.",
        "service": "Which service sends, if not the rule's.",
    },
    "CallUrl": {
        "url": "An absolute http or https URL; `${...}` after the host only.",
        "body": "What is posted as JSON; without it what happened.",
    },
    "SetProfile": {
        "customer": "The id of the customer, or an alias.",
        "attributes": "Attributes with their values; null takes one away.",
        "act": "`update` changes a customer, `put` also makes one that is not there and needs what "
        "a new one must have.",
    },
    "LeaveAlone": {
        "address": "A phone number, an id or a customerid.",
        "channel": "Empty is every channel.",
        "category": "Empty is every category that is not exempt.",
        "reason": "For people; left out it names the rule.",
        "expires": "After how long it ends, `30d`; empty is never.",
    },
    "Emit": {
        "event": "The `id` of an event of the tenant.",
        "parameters": "Its parameters; one without a value is left out.",
        "correlation": "Its correlation id; left out it is that of the event before.",
    },
    "Signature": {
        "secret": "8 characters or more.",
        "header": "Where the signature stands: `sha256=<digits>`, or the digits alone.",
        "algorithm": "The hash of the HMAC.",
    },
    "Parameter": {
        "name": "Begins with a letter.",
        "type": "What a value must look like, else 7004. `json` takes any value.",
        "mandatory": "Must be there and not empty, else 7025.",
        "default": "Stands for one that is absent or empty.",
    },
    "Sender": {
        "id": "The number or name, e.g. `HELIO`.",
        "channel": "On which channel.",
        "types": "Message types it may send; another type gets 7112.",
        "services": "Which services may use it; empty is all. Another one gets 7101.",
    },
    "ConnectorSpec": {
        "name": "How services name it.",
        "channel": "For which channel.",
        "kind": "How it speaks; `smpp` for sms, `sip` for voice.",
        "host": "The far end's host.",
        "port": "The far end's port.",
        "system_id": "The name to bind with.",
        "username": "For kinds of connector that log in with one.",
        "password": "The password to bind with.",
        "system_type": "As the carrier demands it; usually empty.",
        "bind": "`transceiver` carries both directions on one connection, `pair` uses one for each.",
        "binds": "Connections at once.",
        "window": "Messages that may be unanswered on each connection.",
        "throughput": "Messages a second over all connections; 0 is no limit.",
        "tls": "Encrypt the connection.",
        "options": "What only this kind knows; see the page of the channel.",
    },
    "Template": {
        "id": "What `message.template` of a call names.",
        "channel": "For which channel; another one gets 7108.",
        "text": "The text. `${name}` is replaced by the call's parameter; one without a value gets 7121.",
        "texts": "The text in other languages, by locale: `{de: Hallo ${name}}`. Whose profile has that `locale`, or "
        "one of that language, gets it; all others get `text`. It asks for nothing that `text` does not, and has the "
        "same links.",
        "status": "An inactive template gets 7108.",
        "version": "Versions of one template for one channel; a call gets the highest active, or the one it names "
        "as `id@version`.",
        "fields": "Other members of the channel's object, e.g. the title of a push; placeholders in them are filled "
        "too. What the call gives itself counts.",
        "native": "How the provider knows it, where templates are registered there: for WhatsApp `name`, `language`, "
        "`header`, `parameters`; see the channel's page.",
        "category": "What its messages are about, over the service's `category`.",
    },
    "Link": {
        "id": "What `{{link_<id>}}` names; digits as a rule.",
        "url": "Where it leads.",
        "name": "For people.",
        "status": "An inactive link is as one that is not there: 7121.",
        "domain": "One of the tenant's `link_domains`; empty is `HELIOGRAPH_LINK_URL`.",
        "ios_url": "Where it leads on iPhone and iPad.",
        "android_url": "Where it leads on Android.",
        "expired_url": "Where it leads once it has expired; empty is a page that says so.",
        "validity": "Minutes from acceptance that it is good for, where the call does not say (`smartlinks`).",
    },
    "Service": {
        "limits": "What the service may send on all its channels.",
        "id": "1 to 64 letters, digits, dots, dashes or underscores.",
        "name": "For people.",
        "status": "A suspended service is refused with 7007.",
        "category": "What its messages are about, where neither the call (`category` in the `extras` of the "
        "channel's object) nor the template says it: `transactional`, `marketing`, or any word. Policies name them.",
        "sandbox": "Every channel goes to the built-in simulators.",
        "pace": "In a sandbox `fast` compresses all waiting, `real` waits as in production.",
        "receipt_window": "How long a receipt is waited for, by channel or `default`: `72h`, `30m`, `5s`. Without it "
        "72 h on sms and 24 h elsewhere; 5 s in a fast sandbox.",
        "checks": "`at_accept` refuses a destination in the answer, `at_dispatch` answers 1001 first and decides "
        "later.",
        "keys": "The keys of its callers, 8 to 128 characters; kept as hashes. Left out: see above.",
        "jwt": "Secrets with which callers sign tokens instead of sending a key.",
        "ip_allowlist": "The service's own list, after the tenant's. Others get 7208.",
        "notify": "Where it is told what became of its messages.",
        "channels": "By channel: what the service uses there.",
    },
    "JwtSecret": {
        "id": "What the token says in `iss`.",
        "secret": "Signs the token with HS256, in base64; 32 random bytes or more. Without one no token is taken.",
    },
    "Notify": {
        "url": "Receives receipts, unless the call has a `notifyurl` of its own.",
        "secret": "Signs every call; see [callbacks](../howto/callbacks.md).",
        "states": "Which words are told.",
        "inbound_url": "Receives messages from people.",
        "event_url": "Is told when everything that followed from an event ended, unless the call has a `notifyurl` "
        "of its own.",
        "retries": "`ladder` tries for almost a day, `compatible` three times a minute apart.",
    },
    "Binding": {
        "connector": "The connector it sends over.",
        "sender": "The sender where the call names none.",
        "app": "The app it sends by, instead of a connector.",
        "limits": "What the service may send on this channel.",
    },
    "Volume": VOLUME,
    "App": {
        "id": "1 to 64 letters, digits, dots, dashes or underscores; what `appid` names.",
        "name": "For people.",
        "status": "An inactive app gets 7104.",
        "verified_only": "Messages by it go to verified profiles only; others get 7116.",
        "services": "Which services may use it; empty is all. Another one gets 7104.",
        "features": "What it is made for.",
        "user_tokens": "A new profile of a Messenger page or an X account needs the tokens of its user "
        "(`access_token` ...), else 7003; `false` where the platform's own are enough.",
        "android": "Push to Android; see the channel's page.",
        "ios": "Push to iOS; see the channel's page.",
        "web": "Push to browsers; see the channel's page.",
        "rtm": "Real time: `tokens`, `keep`, `store`, `origins`, `mqtt`; see "
        "[in-app](../../src/heliograph/channels/rt/README.md).",
        "messenger": "A page of Messenger; see the channel's page.",
        "twitter": "An account of X; see the channel's page.",
        "wechat": "An official account of WeChat; see the channel's page.",
        "whatsapp": "A number of WhatsApp; see the channel's page.",
    },
    "Features": {
        "push": "Notifications.",
        "rtm": "Messages inside the app in real time.",
    },
}

CODES_HEAD = """# Codes

Every status, from the published table and two of ours (1001, and 7004 with the name of a general parameter). A number
alone says too little, since some have several meanings, so each row has a key. The same table is on the command line:
`heliograph codes 7207`.

- **phase**: `accept` stands in the answer to the call; `policy` was decided for one destination, in the answer or
  before sending; `provider` came from the far end; `query` answers a question.
- **end**: `final`, or `interim` when more may come.
- **fixed by**: who can do something about it: the `caller`, the `tenant` who keeps the workspace, the `operator` of
  this installation, or `nobody`.
- **send again**: whether the same message may be sent again without a risk of sending it twice. """
