"""Secrets at rest: sealed with one key, opened with no other."""

from __future__ import annotations

import pytest

from heliograph.store.vault import Vault, VaultError, hash_key, new_secret


def test_what_was_sealed_can_be_opened() -> None:
    vault = Vault(new_secret())

    assert vault.open(vault.seal(b"a document")) == b"a document"


def test_a_box_shows_nothing_and_is_never_the_same() -> None:
    vault = Vault(new_secret())
    boxes = {vault.seal(b"a document") for _ in range(10)}

    assert (len(boxes), any(b"document" in box for box in boxes)) == (10, False)


def test_another_key_is_refused_with_the_mend() -> None:
    sealed = Vault(new_secret()).seal(b"a document")

    with pytest.raises(VaultError, match="HELIOGRAPH_SECRET_KEY; restore the key"):
        Vault(new_secret()).open(sealed)


@pytest.mark.parametrize(
    "change", [lambda box: box[:-1], lambda box: box[:20], lambda box: b"", lambda box: b"x" * 40]
)
def test_a_box_that_was_changed_is_refused(change: object) -> None:
    vault = Vault(new_secret())

    with pytest.raises(VaultError):
        vault.open(change(vault.seal(b"a document")))  # type: ignore[operator]


@pytest.mark.parametrize("secret", ["", "short", "AAAA", "é" * 44, "A" * 48])
def test_an_unusable_key_is_refused_without_repeating_it(secret: str) -> None:
    with pytest.raises(VaultError) as raised:
        Vault(secret)

    assert not secret or secret not in str(raised.value)


def test_a_key_is_kept_as_its_hash_and_a_hash_as_it_is() -> None:
    hashed = hash_key("11111111-1111-4111-8111-111111111111")

    assert hashed.startswith("sha256:")
    assert hash_key(hashed) == hashed


@pytest.mark.parametrize("key", ["sha256:", "sha256:my-own-key", "sha256:" + "G" * 64, "sha256:" + "a" * 63])
def test_a_key_that_only_looks_like_a_hash_is_hashed(key: str) -> None:
    assert hash_key(key) != key
    assert len(hash_key(key)) == 71
