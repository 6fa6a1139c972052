"""Signatures without cryptography, for tests that make thousands: whose key it is, and the hash of what was signed,
stand in them. Everything but the mathematics is the program's own: form, file of the approvers, who may be whom."""

from __future__ import annotations

import base64
import hashlib
import struct
from collections.abc import Iterable, Mapping
from pathlib import Path

from campaign_cli.signatures import Signers, _is_key_of, key_of, person_of

FILE = "approvers"


def public_key(name: str) -> bytes:
    """The key of this name, as OpenSSH writes one down."""
    return _string(b"ssh-ed25519") + _string(hashlib.sha256(name.encode()).digest())


def signature_by(key: str, text: str) -> str:
    """A text signed with the key of this name."""
    made = _string(b"ssh-ed25519") + _string(hashlib.sha256(text.encode()).digest())
    data = b"SSHSIG" + struct.pack(">I", 1) + _string(public_key(key))
    data += _string(b"campaign") + _string(b"") + _string(b"sha512") + _string(made)
    block = base64.b64encode(data).decode()
    return f"-----BEGIN SSH SIGNATURE-----\n{block}\n-----END SSH SIGNATURE-----\n"


def write_approvers(root: Path, keys: Mapping[str, Iterable[str]]) -> None:
    """Names of people, and the names of their keys."""
    lines = [
        f'{person} namespaces="campaign" ssh-ed25519 {base64.b64encode(public_key(key)).decode()}\n'
        for person, names in keys.items()
        for key in sorted(names)
    ]
    (root / FILE).write_text("".join(lines), encoding="utf-8")


class Paper(Signers):
    """Verifies such signatures."""

    def _found(self, text: str, signature: str, *, name: str, author: str, listed: str, moment: str) -> str:
        key = key_of(signature)
        if key is None:
            return "no signature"
        if author and person_of(name) != author and _is_key_of(author, key, listed):
            return "the author's key"
        if not any(
            line.startswith(f"{name} ") and _is_key_of(person_of(name), key, line) for line in listed.split("\n")
        ):
            return "not a key of this name"
        block = "".join(signature.split("\n")[1:-2])
        whole = base64.b64decode(block).endswith(hashlib.sha256(text.encode()).digest())
        return "" if whole else "not what was signed"


def _string(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + data
