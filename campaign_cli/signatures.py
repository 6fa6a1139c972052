"""Names of people, their keys, and signatures over texts: OpenSSH's ssh-keygen does the work.

``approvers`` is a file in the form of git's and ssh's allowed signers: names (with commas between), options, a key.
https://man.openbsd.org/ssh-keygen.1#ALLOWED_SIGNERS
https://github.com/openssh/openssh-portable/blob/master/PROTOCOL.sshsig
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import struct
import subprocess
import unicodedata
from dataclasses import dataclass, field
from datetime import datetime
from fnmatch import fnmatchcase
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from campaign_cli import reasons
from campaign_cli.errors import InputError
from campaign_cli.i18n import _

NAMESPACE: Final = "campaign"
"""What a signature is for: one that was made for mail, git or another program is none of ours."""
NAME_LENGTH: Final = 200
_SECONDS: Final = 20.0
_SIGN_SECONDS: Final = 300.0  # somebody may have to touch a key, or type its passphrase
_LARGEST: Final = 1024 * 1024
_KNOWN: Final = 64  # results that are remembered
_UNSEEN: Final = frozenset(  # printable by their category, and drawn as nothing: two such names would look like one
    map(chr, (0x34F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0, *range(0x180B, 0x1810)))
) | frozenset(map(chr, (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))))
_MIXABLE: Final = frozenset({"LATIN", "CYRILLIC", "GREEK"})
_BLOCK: Final = re.compile(r"-----BEGIN SSH SIGNATURE-----(.*?)-----END SSH SIGNATURE-----", re.DOTALL)
_KEY: Final = re.compile(r"(?<!\S)(?:ssh-|ecdsa-|sk-)\S+\s+(AAAA[0-9A-Za-z+/]+={0,3})(?!\S)")
_PRINCIPALS: Final = re.compile(r'"([^"]*)"|(\S+)')


def person_of(name: str) -> str:
    """The name without what makes no difference: case, spaces, ways of writing one sign."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def checked_name(name: str) -> str:
    """A name as it is kept: without spaces around it. Raises InputError for one that can't be."""
    tidy = " ".join(unicodedata.normalize("NFC", name).split())
    if not person_of(tidy) or len(tidy) > NAME_LENGTH or not tidy.isprintable() or _disguised(tidy):
        raise InputError(_("That is no name."), fix=_("Say who it is: --as NAME."))
    return tidy


def _disguised(name: str) -> bool:
    """Whether it holds signs that are drawn as nothing, or letters of scripts that pass for one another."""
    scripts = {unicodedata.name(sign, "").partition(" ")[0] for sign in name if sign.isalpha()}
    return not _UNSEEN.isdisjoint(name) or len(scripts & _MIXABLE) > 1


@dataclass(frozen=True, kw_only=True)
class Signers:
    """The approvers of a workspace. ``approvers`` is a path from ``root``, which it may not leave; ``tool`` is
    ssh-keygen; either may be missing, and then nothing is verified."""

    root: Path
    approvers: str | None
    tool: str | None
    _seen: dict[str, str] = field(default_factory=dict, repr=False)

    def sign(self, text: str, key: str) -> str:
        """The signature of a text; ``key`` is a private key's file, or a public one's whose other half an agent holds.

        Raises InputError.
        """
        order = [self._tool(), "-Y", "sign", "-n", NAMESPACE, "-f", key]
        try:
            done = subprocess.run(order, input=text.encode(), capture_output=True, timeout=_SIGN_SECONDS, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            reason = reasons.reason(error) if isinstance(error, OSError) else _("it took too long")
            raise InputError(_("It could not be signed: {reason}").format(reason=reason)) from error
        if done.returncode:
            raise InputError(
                _("It could not be signed: {reason}").format(reason=_said(done.stderr)),
                fix=_("Name the file of your SSH key, or its public half while ssh-agent holds the key: --sign FILE"),
            )
        return done.stdout.decode("ascii", "replace")

    def objection(self, text: str, signature: str, *, name: str, author: str, at: datetime) -> str:
        """Why a signature doesn't count at an instant (aware), in a sentence; empty where it does.

        ``author`` is the person who wrote the plan, where that is to be somebody else (see ``person_of``).
        """
        try:
            listed = self._listed()
        except InputError as error:
            return error.message
        moment = f"{at.astimezone():%Y%m%d%H%M%S}"  # as the machine's zone has it: older versions know no other
        known = hashlib.sha256(
            "\0".join((name, author, moment[:-1], listed, signature, text)).encode("utf-8", "surrogateescape")
        ).hexdigest()
        if known not in self._seen:
            while len(self._seen) >= _KNOWN:
                self._seen.pop(next(iter(self._seen)))
            self._seen[known] = self._found(text, signature, name=name, author=author, listed=listed, moment=moment)
        return self._seen[known]

    def _found(self, text: str, signature: str, *, name: str, author: str, listed: str, moment: str) -> str:
        key = key_of(signature)
        if key is None:
            return _("This is no signature of an SSH key.")
        if author and person_of(name) != author and _is_key_of(author, key, listed):
            return _("The key is the one of the plan's author.")
        try:
            with TemporaryDirectory(prefix="campaign-verify-") as folder:
                signers, proof = Path(folder) / "approvers", Path(folder) / "signature"
                signers.write_text(listed, encoding="utf-8", errors="surrogateescape")
                proof.write_text(signature, encoding="utf-8")
                order = [self._tool(), "-Y", "verify", "-n", NAMESPACE, "-f", str(signers), "-s", str(proof)]
                done = subprocess.run(
                    [*order, "-I", name, "-O", f"verify-time={moment}"],
                    input=text.encode(),
                    capture_output=True,
                    timeout=_SECONDS,
                    check=False,
                )
        except InputError as error:
            return error.message
        except (OSError, subprocess.TimeoutExpired):
            return _("ssh-keygen can't be run.")
        if done.returncode:
            message = _("The signature is not one of {name} by the file {file}, or it no longer counts ({reason}).")
            return message.format(name=name, file=self.approvers, reason=_said(done.stderr or done.stdout))
        return ""

    def trouble(self) -> InputError | None:
        """Why no signature can count, as far as the file of the approvers goes; None where it names somebody."""
        try:
            listed = self._listed()
        except InputError as error:
            return error
        if any(_KEY.search(line) for line in listed.splitlines() if not line.lstrip().startswith("#")):
            return None
        return InputError(
            _("The file of the approvers, {file}, names nobody.").format(file=self.approvers), fix=_line_for_each()
        )

    def _tool(self) -> str:
        if self.tool is None:
            raise InputError(
                _("ssh-keygen is not installed: no signature can be made or verified."),
                fix=_("Install OpenSSH's client (Debian, Ubuntu: apt install openssh-client)."),
            )
        return self.tool

    def _listed(self) -> str:
        """What the file of the approvers says now. Raises InputError."""
        if not self.approvers:
            raise InputError(
                _("accounts.yaml names no file of approvers, so no signature can be verified."),
                fix=_("Write under rules: approvers: approvers"),
            )
        root = self.root.resolve()
        try:
            path = (root / self.approvers).resolve()
            if not path.is_relative_to(root):
                raise InputError(
                    _("The file of the approvers lies outside the workspace: {file}").format(file=self.approvers)
                )
            if path.exists() and not path.is_file():  # a pipe would be read for ever
                raise InputError(_("The file of the approvers is no file: {file}").format(file=self.approvers))
            with path.open("rb") as file:
                content = file.read(_LARGEST + 1)
        except (OSError, RuntimeError, ValueError) as error:
            reason = reasons.reason(error) if isinstance(error, OSError) else str(error)
            raise InputError(
                _("The file of the approvers, {file}, can't be read: {reason}").format(
                    file=self.approvers, reason=reason
                ),
                fix=_line_for_each(),
            ) from error
        if len(content) > _LARGEST:
            raise InputError(_("The file of the approvers is too large."))
        return content.decode("utf-8", "surrogateescape")


def _line_for_each() -> str:
    return _('A line for each person: NAME namespaces="campaign" ssh-ed25519 AAAA…')


def key_of(signature: str) -> bytes | None:
    """The public key that a signature was made with; None for what is no signature, and for a certificate's.

    A certificate says who somebody is for a while and can be had many times over, so two of them are no two people.
    """
    block = _BLOCK.search(signature)
    try:
        data = base64.b64decode("".join((block[1] if block else "").split()), validate=True)
        if data[:6] != b"SSHSIG":
            return None
        (length,) = struct.unpack(">I", data[10:14])
        key = data[14 : 14 + length]
        (size,) = struct.unpack(">I", key[:4])
        kind = key[4 : 4 + size]
    except (ValueError, binascii.Error, struct.error):
        return None
    return None if not kind or b"-cert-" in kind or len(key) != length else key


def fingerprint(key: bytes) -> str:
    """A public key's short name, as ``ssh-keygen -l`` writes it."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(key).digest()).decode().rstrip("=")


def _is_key_of(person: str, key: bytes, listed: str) -> bool:
    """Whether the file names this key as that person's, whatever else it says of the key."""
    for line in listed.splitlines():
        names, found = _PRINCIPALS.match(line.strip()), _KEY.search(line)
        if names is None or found is None or _decoded(found[1]) != key:
            continue
        patterns = [person_of(pattern) for pattern in (names[1] or names[2]).split(",")]
        if any(fnmatchcase(person, pattern) for pattern in patterns if pattern):
            return True
    return False


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error:
        return b""


def _said(complaint: bytes) -> str:
    """The last line of what ssh-keygen said."""
    lines = [line.strip() for line in complaint.decode("utf-8", "replace").splitlines() if line.strip()]
    text = "".join(sign if sign.isprintable() else " " for sign in (lines[-1] if lines else "–"))
    return text[:300].rstrip(".")
