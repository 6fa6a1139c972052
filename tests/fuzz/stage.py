"""The stage against requests that nobody should send: our own, spoilt, in the middle of an honest conversation."""

from __future__ import annotations

import asyncio
import base64
import hmac
import json
import re
from copy import deepcopy
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final
from urllib.parse import parse_qsl, quote, urlencode

from hypothesis import strategies as st

from campaign_cli.platforms import PLATFORMS
from fuzz.answers import put, seldom
from fuzz.conversations import Answered, Asked, Table, account_of, conversation, table
from fuzz.guards import at_most, writing_nothing
from tests.stage_helpers import Clock

SECONDS: Final = 10.0
"""Time of the processor that one request may take: far more than any needs, far less than for ever."""
WORDS: Final = (
    *("", "0", "-1", "9" * 5_000, "1e400", "NaN", "inf", "null", "true", "\x00", "a\x00b", "\r\nX-Injected: 1", "\n"),
    *("\x1b]0;judul\x07\x1b[2J", "\u202eabc", "\u2028", "\ufeff", "\ud83d", "👩🏽‍🏭" * 400, "x" * 70_000, "٣", "²"),
    *("../../../etc/passwd", "..%2f..%2fetc", "/etc/passwd", "C:\\x", "file:///etc/passwd", "//evil.example/"),
    *("http://169.254.169.254/", "http://127.0.0.1:1/", "http://[::1", "http://127.0.0.1:99999/", "javascript:x()"),
    *("<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "=HYPERLINK(1)", "{{ 7*7 }}", "%", "%zz", "%00"),
    *("2026-02-30T00:00:00Z", "0000-00-00", "9999-12-31T23:59:60Z", "-1-01-01", "bytes=0-", "urn:li:x:1", "at://x/y/z"),
    *("image/png", "image/svg+xml", "text/html", "multipart/form-data", "[", "]", "{}", "[]", "[[]]", '{"a":1}', ",,,"),
)
NASTY: Final[tuple[Any, ...]] = (
    *(None, 0, -1, 1.5, 1e308, True, False, [], {}, [[]], [None], {"": None}, 2**70, -(2**70), 10**400),
    *([{}], ["x", 1], {"id": []}, {"text": {}}, [[[[[[]]]]]], {"uri": "x", "cid": None}, {"ref": [], "$type": "blob"}),
    *WORDS,
)
_PART: Final = b"--x\r\nContent-Disposition: form-data; "
BODIES: Final = (
    *(b"", b"null", b"[]", b"{", b'"x"', b"\xff\xfe", b"[" * 99_000, b'{"a":1e999}', b'{"text":NaN}', b"9" * 9_000),
    *(b'{"a":' * 60_000 + b"1" + b"}" * 60_000, b'{"text":"\\ud83d"}', b'{"a":1,"a":2}', b"x" * 300_000),
    *(b"a=1&" * 1_500, b"&" * 9_000, b"=%ff%00&[]=1&a[]=2&a=3", b"--x\r\n", b"--x--"),
    *(_PART + b'name="file"; filename="../../x"\r\n\r\n\x00\r\n--x--\r\n', _PART + b'filename="a"\r\n\r\nb\r\n--x--'),
    *(b"--x\r\n" + b"y: z\r\n" * 999, (_PART + b'name="a"\r\n\r\n1\r\n') * 1_200 + b"--x--"),
)


def _headers(name: bytes, *values: bytes) -> tuple[tuple[bytes, bytes], ...]:
    return tuple((name, value) for value in values)


HEADERS: Final = (
    *_headers(b"content-type", b"", b"application/json", b"application/x-www-form-urlencoded", b"text/html", b";"),
    *_headers(
        b"content-type", b"multipart/form-data", b"multipart/form-data; boundary=x", b"image/svg+xml", b"\xff/\xff"
    ),
    *_headers(
        b"content-type", b"multipart/form-data; boundary=x; charset=unicode_escape", b"application/json;charset=x"
    ),
    *_headers(b"content-type", b"multipart/related; boundary=x", b"multipart/form-data; boundary=" + b"b" * 9_000),
    *_headers(b"content-length", b"0", b"-1", b"9" * 30, b"x"),
    *_headers(b"authorization", b"", b"Bearer", b"Bearer \xff", b"Basic %%%", b"Basic \xff\xfe", b"Bearer a.b.c"),
    *_headers(b"authorization", b"OAuth x", b"Basic " + b"QQ" * 9_000, b"Basic Og==", b"Bearer ..", b"DPoP x"),
    *_headers(b"content-range", b"bytes 0-0/1", b"bytes 5-1/0", b"bytes */9" + b"9" * 30, b"bytes x-y/z", b"\xb2"),
    *_headers(b"host", b"", b"evil.example:99999", b"[::1", b"\xff", b"<script>"),
    *_headers(b"content-disposition", b'attachment; filename="../../x"', b"attachment; filename*=UTF-8''%ff", b";"),
    *_headers(b"webhook-timestamp", b"\xb2", b"9" * 400),
    *(*_headers(b"x-upload-content-length", b"-5", b"9" * 40, b"\xb2"), (b"idempotency-key", b"x" * 9_000)),
    *((b"accept-language", b"\xff;q=nan"), (b"cookie", b"a=b;" * 900), (b"range", b"bytes=-1"), (b"offset", b"x")),
    *((b"file_size", b"-1"), (b"webhook-signature", b"v1,\xff")),
)
METHODS: Final = ("GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "TRACE", "X")
SEGMENTS: Final = (*(word for word in WORDS if word and word != "\ud83d"), "_stage", "media", ".", "..", "%2f")
_FILE_NAME: Final = re.compile(rb'filename="[^"]*"')


@dataclass(frozen=True, kw_only=True)
class Spoilt:
    """How one request of a conversation differs from the honest one, and whether that one follows all the same.

    ``at`` counts modulo the number of requests; ``body`` puts values at places of what it holds, or edits its bytes;
    ``segment`` puts words into the path, ``whole`` is another body altogether, ``platform`` another network's account.
    """

    at: int
    body: tuple[tuple[int, Any], ...] = ()
    query: tuple[tuple[int, str], ...] = ()
    edits: tuple[tuple[str, int, bytes], ...] = ()
    headers: tuple[tuple[bytes, bytes], ...] = ()
    segment: tuple[int, str] | None = None
    whole: bytes | None = None
    method: str | None = None
    platform: str | None = None
    also: bool = False
    twice: bool = False

    def of(self, honest: Asked) -> Asked:
        """The request with all its faults."""
        path, query, body = honest.path, honest.query, honest.body
        if self.platform is not None and path.count(b"/") > 2:
            path = account_of(self.platform)[0].encode() + b"/" + path.split(b"/", 3)[3]
        if self.segment is not None:
            pieces = path.split(b"/")
            pieces[1 + self.segment[0] % (len(pieces) - 1)] = quote(self.segment[1], safe="%").encode()
            path = b"/".join(pieces)
        if self.query:
            query = _spoilt_form(query, self.query)
        if self.body:
            body = _spoilt_body(body, self.body)
        for kind, place, nasty in self.edits:
            body = _edited(body, kind, place, nasty)
        told = {name for name, _value in self.headers}
        headers = (*(each for each in honest.headers if each[0] not in told), *self.headers)
        body = body if self.whole is None else self.whole
        headers = _signed_anew(headers, body) if b"webhook-signature" not in told else headers
        return replace(honest, path=path, query=query, headers=headers, method=self.method or honest.method, body=body)


def _signed_anew(headers: tuple[tuple[bytes, bytes], ...], body: bytes) -> tuple[tuple[bytes, bytes], ...]:
    """A message to a receiver whose body was spoilt by somebody who knows the secret."""
    known = dict(headers)
    if b"webhook-signature" not in known:
        return headers
    key = base64.b64decode(account_of("webhook")[1]["secret"].removeprefix("whsec_"))
    content = known[b"webhook-id"] + b"." + known[b"webhook-timestamp"] + b"." + body
    signature = b"v1," + base64.b64encode(hmac.digest(key, content, "sha256"))
    return (*(each for each in headers if each[0] != b"webhook-signature"), (b"webhook-signature", signature))


def _spoilt_body(body: bytes, places: tuple[tuple[int, Any], ...]) -> bytes:
    """JSON with values at some places, a form with words in some fields, or another file name."""
    try:
        value = json.loads(body)
    except ValueError:
        if b"filename=" in body:
            name = str(places[0][1]).encode("utf-8", "surrogatepass")
            return _FILE_NAME.sub(lambda _found: b'filename="%s"' % name, body)
        return _spoilt_form(body, tuple((place, str(nasty)) for place, nasty in places))
    for place, nasty in places:
        value = put(value, place, deepcopy(nasty))
    return json.dumps(value).encode()


def _spoilt_form(form: bytes, places: tuple[tuple[int, str], ...]) -> bytes:
    pairs = [list(pair) for pair in parse_qsl(form.decode("latin-1"), keep_blank_values=True)] or [["limit", "1"]]
    for place, word in places:
        pair = pairs[place % len(pairs)]
        if place % 5 == 4:
            pairs.append([pair[0], word])
        else:
            pair[place % 11 != 10] = word
    return urlencode([tuple(pair) for pair in pairs], errors="replace").encode()


def _edited(body: bytes, kind: str, place: int, nasty: bytes) -> bytes:
    at = place % (len(body) + 1)
    if kind == "cut":
        return body[:at]
    if kind == "double":
        return body[:at] + body[max(0, at - 200) :]
    return body[:at] + nasty + body[at + (0 if kind == "insert" else len(nasty)) :]


words = st.sampled_from(WORDS)
PIECES: Final = (
    b"\x00",
    b"\r\n\r\n",
    b"--",
    b'"',
    b"\xff",
    b"{",
    b"[[[[",
    b"\\u0000",
    b"\\ud83d",
    b"1e999",
    b"%00",
    b"NaN",
)
edit = st.tuples(st.sampled_from(("cut", "double", "insert", "over")), st.integers(0, 3_000), st.sampled_from(PIECES))


spoilt = st.builds(
    Spoilt,
    at=st.integers(0, 200),
    body=st.lists(st.tuples(st.integers(0, 400), st.sampled_from(NASTY)), max_size=2).map(tuple),
    query=seldom(st.lists(st.tuples(st.integers(0, 40), words), min_size=1, max_size=2).map(tuple), ()),
    edits=seldom(st.lists(edit, min_size=1, max_size=2).map(tuple), ()),
    headers=seldom(st.lists(st.sampled_from(HEADERS), min_size=1, max_size=2).map(tuple), ()),
    segment=seldom(st.tuples(st.integers(0, 9), st.sampled_from(SEGMENTS))),
    whole=seldom(st.one_of(st.sampled_from(BODIES), st.binary(max_size=40))),
    method=seldom(st.sampled_from(METHODS)),
    platform=seldom(st.sampled_from(PLATFORMS)),
    also=st.booleans(),
    twice=st.booleans(),
)
cases = st.tuples(st.sampled_from(PLATFORMS), st.lists(spoilt, min_size=1, max_size=4))
Case = tuple[str, list[Spoilt]]


def attempt(case: Case) -> str:
    """Have one conversation with its faults; how the faulty requests were answered. Raises what the stage raised."""
    platform, faults = case
    honest = conversation(platform)
    due: dict[int, list[Spoilt]] = {}
    for fault in faults:
        due.setdefault(fault.at % len(honest), []).append(fault)
    with writing_nothing():
        return asyncio.run(_converse(honest, due))


async def _converse(honest: tuple[Asked, ...], due: dict[int, list[Spoilt]]) -> str:
    ends: list[str] = []
    with table() as stage:
        for place, asked in enumerate(honest):
            stage.clock.at = Clock().now() + timedelta(seconds=asked.after)
            for fault in due.get(place, ()):
                for _time in range(1 + fault.twice):
                    answered = await _ask(stage, fault.of(asked))
                ends.append(f"{answered.status // 100}xx")
            if place not in due or any(fault.also for fault in due[place]):
                answered = await _ask(stage, asked)
                assert ends or answered.status == asked.status, "an honest request is answered in another way"
        await _look_around(stage)
    return " ".join(sorted(set(ends)))


async def _ask(stage: Table, asked: Asked) -> Answered:
    with at_most(SECONDS):
        answered = await stage.ask(asked)
    assert b"Traceback" not in answered.body
    if answered.header(b"content-type").startswith("text/html"):
        assert b"<script" not in answered.body.lower()
        assert b"<img src=x" not in answered.body.lower()
    return answered


async def _look_around(stage: Table) -> None:
    """What people look at stays whole, whatever was put into it."""
    for path, query in ((b"/", b""), (b"/_stage/posts", b"all=true"), (b"/_stage/requests", b"")):
        assert (await _ask(stage, Asked(method="GET", path=path, query=query))).status == 200, path
    for post in stage.app.state.posts:
        page = await _ask(stage, Asked(method="GET", path=quote(post.path).encode()))
        assert page.status < 500, post.path
    for digest in stage.app.state.files:
        file = await _ask(stage, Asked(method="GET", path=b"/_stage/media/" + quote(digest).encode()))
        assert file.status in (200, 404), digest
