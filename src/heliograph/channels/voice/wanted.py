"""What a call needs of the workspace: the flow to follow and the prompts in it; and what is wrong with either.
Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from heliograph.catalogue import keys
from heliograph.channels.voice.flow.reading import Fault, Unread, flow_faults, read_flow
from heliograph.channels.voice.flow.steps import BUILT_IN, Flow, Play, Say, assigned, prompts_of, texts_of
from heliograph.model.channel import Objection
from heliograph.model.message import Content
from heliograph.model.placeholders import placeholders
from heliograph.model.workspace import Tenant


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """The flow (None: the text is spoken), the files of prompts by their ids, and whether private addresses may be
    fetched from and told."""

    flow: Flow | None = None
    prompts: dict[str, str] = {}
    private: bool = False


def attach(content: Content, tenant: Tenant) -> Wanted:
    """What the call needs of the workspace; nothing of what `objection` would refuse."""
    return Wanted(flow=_flow(content, tenant), prompts=_files(tenant), private=tenant.allow_private_targets)


def objection(content: Content, tenant: Tenant) -> Objection | None:
    """7114: the flow and the prompts that the call names are declared."""
    path = f"tenants[{tenant.id}]"
    prompt, wanted = _prompt(content), str(content.fields.get("callflowid") or "")
    if prompt:
        return _unknown_prompt(tenant, prompt, f"{path}.prompts")
    if wanted:
        try:
            flow = _flow(content, tenant)
        except (Unread, KeyError):  # from a workspace that was declared before flows were checked
            flow = None
        where = f"{path}.callflows[{wanted[:64]}]"
        if flow is None:
            return Objection(keys.CONFIGURATION_ERROR, wanted[:64], f"{where} is not declared, or not readable")
        return _flow_objection(flow, tenant, where)
    if not content.fields.get("text"):
        return Objection(keys.CONFIGURATION_ERROR, "nothing to say", "`channels.voice`")
    return None


def asks(content: Content, tenant: Tenant) -> tuple[str, ...]:
    """The variables of its flow that somebody else must give values."""
    try:
        flow = _flow(content, tenant)
    except (Unread, KeyError):  # what `objection` is about
        return ()
    if flow is None:
        return ()
    own = assigned(flow) | BUILT_IN
    return tuple(
        name for step in flow.steps for text in texts_of(step) for name in placeholders(text) if name not in own
    )


def _flow_objection(flow: Flow, tenant: Tenant, where: str) -> Objection | None:
    for index, prompt in prompts_of(flow):
        if not placeholders(prompt) and (found := _unknown_prompt(tenant, prompt, f"{where}.steps[{index}]")):
            return found
    return None


def _unknown_prompt(tenant: Tenant, prompt: str, where: str) -> Objection | None:
    if is_url(prompt) or prompt_file(prompt, _files(tenant)):
        return None
    return Objection(keys.CONFIGURATION_ERROR, prompt[:64], f"{where}: the tenant has no such prompt")


def is_url(prompt: str) -> bool:
    """Whether a prompt is given by its URL."""
    return prompt.lower().startswith(("http://", "https://"))


def prompt_file(prompt: str, files: Mapping[str, str]) -> str:
    """The file of a prompt, by its id or by the file's own name; "" when there is none."""
    if prompt in files:
        return files[prompt]
    return next((file for file in files.values() if file.rpartition("/")[2] == prompt), "")


def declared_faults(tenant: Tenant) -> Iterator[Fault]:
    """What is wrong with the prompts and call flows of a tenant, as `(path, sentence)`."""
    for prompt in tenant.prompts:
        path = f"prompts[{prompt.get('id')}]"
        for name in sorted(prompt.keys() - {"id", "file"}):
            yield f"{path}.{name}", "there is no such member; there are id, file"
        if not isinstance(file := prompt.get("file"), str) or not file.strip():
            yield f"{path}.file", "must be the name of a file in the data folder, a path or a URL"
    files = _files(tenant)
    for declared in tenant.callflows:
        path = f"callflows[{declared.get('id')}]"
        faults = list(flow_faults(declared))
        yield from ((f"{path}.{inner}", sentence) for inner, sentence in faults)
        if not faults and isinstance(declared.get("id"), str):
            for index, name in prompts_of(read_flow(declared)):
                if not (placeholders(name) or is_url(name) or prompt_file(name, files)):
                    yield f"{path}.steps[{index}]", f"the tenant has no prompt {name!r}"


def _prompt(content: Content) -> str:
    return str(content.fields.get("promptid") or content.fields.get("media") or "")


def _files(tenant: Tenant) -> dict[str, str]:
    return {str(item.get("id")): file for item in tenant.prompts if isinstance(file := item.get("file"), str)}


def _flow(content: Content, tenant: Tenant) -> Flow | None:
    if prompt := _prompt(content):
        return Flow(id=prompt, steps=(Play(prompt=prompt),))
    wanted = str(content.fields.get("callflowid") or "")
    if not wanted:
        return None
    declared: dict[str, Any] | None = next((item for item in tenant.callflows if item.get("id") == wanted), None)
    return read_flow(declared) if declared is not None else None


def spoken(text: str) -> Flow:
    """The flow that speaks a text."""
    return Flow(id="text", steps=(Say(text=text),))
