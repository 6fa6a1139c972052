"""One question to a network and its answer, and the port over which they go."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

AT_ONCE: Final = 1_000_000  # bytes of a body that ``max_wait`` is enough for
_SLOWEST: Final = 32_000  # bytes a second: a slower line than this is none


@dataclass(frozen=True, kw_only=True, slots=True)
class Upload:
    """One field of a multipart body that carries a file."""

    field: str
    name: str
    mime: str
    content: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """One HTTP request as the adapter wants it sent.

    Exactly one of ``json``, ``form``, ``content`` or none; ``uploads`` go with ``form`` as multipart. ``creating``
    marks a request after which something is public (or may be): the gate (lease and holds) is asked before it, and an
    absent answer to it is ``Unconfirmed``. ``sample`` is what a preview answers, with placeholders (``{media_id}``) for
    what only the server can give; ``sample_headers`` (lower-case names) where the answer's headers say it. ``errors``
    is the network's own table: it may turn an answer into a Failure, or return None for the transport's usual reading.
    """

    method: str
    url: str
    query: Mapping[str, str] = field(default_factory=dict)
    json: Any = None
    form: Mapping[str, Any] | None = None
    content: bytes | None = None
    uploads: Sequence[Upload] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    creating: bool = False
    sample: Any = None
    sample_headers: Mapping[str, str] = field(default_factory=dict)
    errors: Callable[[Answer], Exception | None] | None = None
    accept: Sequence[int] = (200, 201, 202)  # statuses that are an answer; any other is a Failure

    @property
    def patience(self) -> float:
        """Seconds beyond the network's own ``max_wait`` that a large body may take on a slow line."""
        size = len(self.content or b"") + sum(len(upload.content) for upload in self.uploads)
        return max(0, size - AT_ONCE) / _SLOWEST


class Answer(Protocol):
    """What came back: bounded in size, read whole."""

    @property
    def status(self) -> int:
        """HTTP status."""

    @property
    def headers(self) -> Mapping[str, str]:
        """Header names in lower case."""

    @property
    def text(self) -> str:
        """Body as text."""

    def json(self) -> Any:
        """Body as JSON; of a creating request that can't be read, raises Unconfirmed; else Unavailable."""


class Http(Protocol):
    """The only way to the network."""

    async def send(self, request: Request) -> Answer:
        """The answer, or one of Rejected, Unavailable, Unauthorized, Unconfirmed (by the gate: Held, ClaimLost)."""
