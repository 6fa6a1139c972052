"""WhatsApp's Cloud API: an approved template to everybody who opted in, each of them once."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import Any

import httpx
import pytest
from platform_helpers import NOW, PNG, answer, failure_of, json_of, multipart_of, parts, picture
from pydantic import ValidationError
from whatsapp_helpers import (
    ACCOUNT,
    BASE,
    NAMES,
    PHONES,
    SETTINGS,
    CloudApi,
    accepted,
    listed,
    on_its_way,
    refused,
)

from campaign_cli.errors import Failure, Held, Rejected, Unauthorized, Unavailable, Unconfirmed
from campaign_cli.models import LASTING, Receipt
from campaign_cli.platforms.base import Request
from campaign_cli.platforms.whatsapp import platform
from campaign_cli.report.requests import requests_of

NAMELESS = listed(*PHONES[:2]) + "\n+6281200000099,2026-01-05,"
"""The last one's name is not known."""
LOST = httpx.ReadTimeout("slow")


def published(*replies: Any, people: Any = PHONES[:1], **more: Any) -> tuple[Receipt | Failure, CloudApi, Any]:
    """The receipt or the failure, the network, and what was being sent."""
    through = CloudApi(replies=list(replies))
    item = on_its_way(through, people=people, **more)

    async def main() -> Receipt | Failure:
        try:
            return await platform.publish(item)
        except Failure as failure:
            return failure

    return asyncio.run(main()), through, item


def states(item: Any) -> list[Any]:
    """What is kept of each recipient."""
    return [value for name, value in item.steps.items() if name.startswith(LASTING)]


def test_a_template_goes_to_everybody() -> None:
    """The text in one line with the link behind it, the key along with it; the receipt counts and names nobody."""
    receipt, through, item = published(
        *(accepted(number) for number in range(2)),
        people=PHONES[:2],
        content=parts("Upah layak.\n\nKita turun\tbersama."),
        link="https://contoh.example/upah",
    )
    assert isinstance(receipt, Receipt)
    first, second = through.requests
    assert json_of(first) == {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": PHONES[0],
        "type": "template",
        "template": {
            "name": "kabar_anggota",
            "language": {"code": "id"},
            "components": [
                {
                    "type": "body",
                    "parameters": [
                        {"type": "text", "text": "Upah layak. Kita turun bersama. https://contoh.example/upah"}
                    ],
                }
            ],
        },
        "biz_opaque_callback_data": item.key,
    }
    assert json_of(second)["to"] == PHONES[1]
    assert (receipt.id, receipt.url, receipt.at) == (item.key, None, NOW)
    assert receipt.extra == {"accepted": 2, "refused": 0}


def test_a_post_chooses_template_language_and_parameters() -> None:
    """In the order of the template's places; the name is each recipient's own."""
    _receipt, through, _item = published(
        accepted(),
        accepted(),
        people=PHONES[:2],
        link="https://contoh.example/upah",
        native={
            "title": "Aksi",
            "whatsapp_template": "ajakan_aksi",
            "whatsapp_language": "id_ID",
            "whatsapp_parameters": ["name", "title", "text", "link"],
        },
    )
    sent = [json_of(request)["template"] for request in through.requests]
    assert [(one["name"], one["language"]["code"]) for one in sent] == [("ajakan_aksi", "id_ID")] * 2
    for name, template in zip(NAMES, sent, strict=False):
        (body,) = template["components"]
        words = [one["text"] for one in body["parameters"]]
        assert words == [name, "Aksi", "Upah layak adalah hak.", "https://contoh.example/upah"]


def test_a_template_without_places_gets_none() -> None:
    """An empty list sends the template as it is."""
    _receipt, through, _item = published(accepted(), native={"whatsapp_parameters": []})
    assert json_of(through.requests[0])["template"]["components"] == []


@pytest.mark.parametrize(("mime", "kind"), [("image/png", "image"), ("video/mp4", "video")])
def test_a_picture_stands_above_the_text(mime: str, kind: str) -> None:
    """It is uploaded once, whatever the number of recipients."""
    receipt, through, item = published(
        answer(200, {"id": 4490709327384033}),
        accepted(),
        accepted(),
        people=PHONES[:2],
        content=parts("Aksi", media=[picture(mime=mime)]),
    )
    assert isinstance(receipt, Receipt)
    upload, *messages = through.requests
    assert (upload.method, upload.url.path) == ("POST", f"{BASE}/media")
    fields = multipart_of(upload)
    assert fields["messaging_product"][2] == b"whatsapp"
    assert fields["type"][2] == mime.encode()
    assert fields["file"] == ("poster.png", mime, PNG)
    for message in messages:
        header, _body = json_of(message)["template"]["components"]
        assert header == {"type": "header", "parameters": [{"type": kind, kind: {"id": "4490709327384033"}}]}
    again, once_more, _item = published(
        content=parts("Aksi", media=[picture(mime=mime)]), steps=item.steps, people=PHONES[:2]
    )
    assert isinstance(again, Receipt)
    assert once_more.requests == []


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"recipients": "phone,opted_in\n"}, "opted in"),
        ({"recipients": "phone,opted_in\n+6281200000011,"}, "opted in"),
        ({"recipients": "phone,opted_in\n0812,2026-01-05"}, "line 2"),
        ({"content": parts("Dua", media=[picture(), picture()])}, "one picture"),
        ({"native": {"whatsapp_template": "Kabar Anggota"}}, "template"),
        ({"native": {"whatsapp_parameters": ["title"]}}, "title"),
        ({"native": {"whatsapp_parameters": ["nama"]}}, "nama"),
        ({"native": {"whatsapp_parameters": ["name"]}, "recipients": NAMELESS}, "name"),
    ],
)
def test_what_is_wrong_is_said_before_anything_leaves(more: dict[str, Any], says: str) -> None:
    """Also where it is wrong for the last recipient alone."""
    failure, through, item = published(**more)
    assert isinstance(failure, Rejected)
    assert says in failure.message
    assert failure.fix
    assert (through.requests, item.steps) == ([], {})


def test_an_absent_list_stops_it_with_its_fix(tmp_path: Any) -> None:
    """Every machine that sends needs the file."""
    from campaign_cli.credentials import Secrets

    secrets = Secrets(environment={}, root=tmp_path)
    through = CloudApi()
    item = on_its_way(through)
    item.secret = lambda name: secrets.reveal(SETTINGS[name])
    failure = asyncio.run(failure_of(platform.publish(item)))
    assert isinstance(failure, Rejected)
    assert "anggota.csv" in failure.message
    assert "chmod 600" in failure.fix
    assert through.requests == []


def test_a_lost_answer_leaves_one_in_doubt_and_the_others_get_it() -> None:
    """That one is not written to again; how many is said, who is not."""
    failure, through, item = published(accepted(), LOST, accepted(), people=PHONES[:3])
    assert isinstance(failure, Unconfirmed)
    assert "accepted 2 of 3 messages; 1 in doubt, 0 refused, 0 not sent" in failure.message
    assert through.written_to() == list(PHONES[:3])
    assert sorted(map(str, states(item))) == [item.key, "accepted", "accepted"]
    for key in (item.key, "f" * 40):  # the same attempt again; after a person's decision
        again, silent, _item = published(people=PHONES[:3], steps=item.steps, key=key)
        assert isinstance(again, Unconfirmed)
        assert silent.requests == []


def test_where_nobody_has_it_a_person_s_word_counts_for_the_one_in_doubt() -> None:
    """--not-published gives a new key; the same key never writes to them again."""
    failure, _through, item = published(LOST)
    assert isinstance(failure, Unconfirmed)
    again, silent, _item = published(steps=item.steps)
    assert isinstance(again, Unconfirmed)
    assert silent.requests == []
    receipt, through, _item = published(accepted(), steps=item.steps, key="f" * 40)
    assert isinstance(receipt, Receipt)
    assert through.written_to() == [PHONES[0]]


def test_a_broken_line_does_not_leave_everybody_in_doubt() -> None:
    """After three lost answers in a row nobody else is written to."""
    failure, through, _item = published(LOST, LOST, LOST, people=PHONES)
    assert isinstance(failure, Unconfirmed)
    assert "3 in doubt, 0 refused, 2 not sent" in failure.message
    assert len(through.requests) == 3


def test_a_process_that_died_left_one_in_doubt() -> None:
    """Before a message leaves it is on disk that it may; the next process passes that one over."""
    seen: list[dict[str, Any]] = []
    through = CloudApi(replies=[accepted()])
    item = on_its_way(through, people=PHONES[:2])
    send = item.http.send

    async def dying(request: Request) -> Any:
        seen.append(dict(item.steps))
        if len(seen) == 2:
            raise asyncio.CancelledError
        return await send(request)

    item.http.send = dying

    async def main() -> None:
        with pytest.raises(asyncio.CancelledError):
            await platform.publish(item)

    asyncio.run(main())
    assert [list(steps.values()) for steps in seen] == [[item.key], ["accepted", item.key]]
    again, silent, _item = published(people=PHONES[:2], steps=item.steps)
    assert isinstance(again, Unconfirmed)
    assert "1 in doubt" in again.message
    assert silent.requests == []


@pytest.mark.parametrize("code", [130472, 131021, 131026, 131030, 131049, 131050])
def test_one_person_who_can_t_get_it_stops_nobody_else(code: int) -> None:
    """They are counted; where nobody at all could get it, it failed."""
    receipt, through, item = published(refused(code), accepted(), people=PHONES[:2])
    assert isinstance(receipt, Receipt)
    assert receipt.extra == {"accepted": 1, "refused": 1}
    assert len(through.requests) == 2
    assert states(item).count("accepted") == 1
    failure, _through, _item = published(refused(code), refused(code), people=PHONES[:2])
    assert isinstance(failure, Rejected)
    assert failure.code == str(code)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (0, Unauthorized),
        (190, Unauthorized),
        (10, Rejected),
        (33, Rejected),
        (100, Rejected),
        (200, Rejected),
        (368, Rejected),
        (130497, Rejected),
        (131005, Rejected),
        (131008, Rejected),
        (131009, Rejected),
        (131031, Rejected),
        (131042, Rejected),
        (131045, Rejected),
        (131047, Rejected),
        (131048, Rejected),
        (131053, Rejected),
        *((code, Rejected) for code in (132000, 132001, 132005, 132007, 132012, 132015, 132016, 132018)),
        (133010, Rejected),
        (4, Unavailable),
        (80007, Unavailable),
        (130429, Unavailable),
        (131056, Unavailable),
        (131057, Unavailable),
        (1, Unconfirmed),
        (2, Unconfirmed),
        (131000, Unconfirmed),
        (131016, Unconfirmed),
    ],
)
def test_each_documented_code_has_its_meaning(code: int, kind: type[Failure]) -> None:
    """By the code, whatever the status is; a person is told what to do."""
    clear = code < 1000 and kind is Rejected  # of the Graph API's own, a 500 says nothing clear
    for status in (400, 403) if clear else (400, 403, 500):
        failure, _through, item = published(refused(code, status=status, details="Details."))
        assert type(failure) is kind
        assert isinstance(failure, Failure)
        if kind is Unavailable:
            assert failure.retry_at is not None
        if kind is not Unconfirmed:
            assert failure.code == str(code)
            assert states(item) == [None]  # provably not sent
        if code in (131031, 131047, 131048, 132001, 133010, 190):
            assert failure.fix


def test_what_stops_it_in_the_middle_is_left_to_a_person() -> None:
    """Those who have it keep it; the others get it after the person's word, and nobody twice."""
    failure, through, item = published(accepted(), refused(132015, message="Paused"), people=PHONES[:3])
    assert isinstance(failure, Unconfirmed)
    assert "accepted 1 of 3 messages; 0 in doubt, 0 refused, 2 not sent" in failure.message
    assert "132015" in failure.message
    assert len(through.requests) == 2
    receipt, rest, _item = published(accepted(), accepted(), people=PHONES[:3], steps=item.steps, key="f" * 40)
    assert isinstance(receipt, Receipt)
    assert rest.written_to() == list(PHONES[1:3])
    assert receipt.extra == {"accepted": 3, "refused": 0}


def test_a_stop_before_those_who_have_it_counts_them() -> None:
    """Who joined the list since stands before them; what was sent counts all the same."""
    _receipt, _through, item = published(accepted(), people=PHONES[1:2])
    failure, _again, _item = published(refused(190, status=401), people=PHONES[:2], steps=item.steps, key="f" * 40)
    assert isinstance(failure, Unconfirmed)
    assert "accepted 1 of 2 messages; 0 in doubt, 0 refused, 1 not sent" in failure.message


def test_too_many_at_once_is_waited_for_in_the_middle() -> None:
    """A few short pauses, once somebody has it; before that, the delivery itself waits."""
    receipt, through, item = published(
        accepted(), refused(130429, status=429), refused(131056, status=400), accepted(), people=PHONES[:2]
    )
    assert isinstance(receipt, Receipt)
    assert through.written_to() == [PHONES[0], *[PHONES[1]] * 3]
    assert item.now() - NOW == timedelta(seconds=30)
    failure, _through, _item = published(answer(429, {}, headers={"Retry-After": "120"}), people=PHONES[:2])
    assert isinstance(failure, Unavailable)
    assert failure.retry_at == NOW + timedelta(seconds=120)
    failure, through, _item = published(accepted(), *[refused(130429, status=429)] * 4, people=PHONES[:2])
    assert isinstance(failure, Unconfirmed)
    assert "1 not sent" in failure.message
    assert len(through.requests) == 5


@pytest.mark.parametrize("doubt", [False, True])
def test_a_hold_in_the_middle_stops_it(doubt: bool) -> None:
    """It waits, and goes on with the others; unless somebody is in doubt, which a person must know."""
    through = CloudApi(replies=[LOST if doubt else accepted()])
    item = on_its_way(through, people=PHONES[:2])
    send, calls = item.http.send, []

    async def gated(request: Request) -> Any:
        calls.append(request)
        if len(calls) == 2:
            raise Held("held")
        return await send(request)

    item.http.send = gated
    with pytest.raises(Unconfirmed if doubt else Held):
        asyncio.run(platform.publish(item))
    assert [state for state in states(item) if state] == [item.key if doubt else "accepted"]
    if not doubt:
        receipt, rest, _item = published(accepted(), people=PHONES[:2], steps=item.steps)
        assert isinstance(receipt, Receipt)
        assert rest.written_to() == [PHONES[1]]


@pytest.mark.parametrize(
    "reply",
    [
        refused(131026, message=f"to {PHONES[0]}"),
        refused(132001, details=f"Recipient {PHONES[0][1:]} is not valid"),
        refused(131000, status=500, message=f"{PHONES[0]}"),
        refused(100, error_user_msg=f"+62 812-0000-0011 ({PHONES[0]})"),
        answer(400, text=f"bad request: {PHONES[0]}"),
        answer(500, text=f"<p>{PHONES[0]}</p>"),
        answer(401, text=PHONES[0]),
        answer(404, {"error": PHONES[0]}),
        answer(200, text=PHONES[0]),
        httpx.ReadError(PHONES[0]),
    ],
)
def test_no_number_is_in_what_is_told_or_kept(reply: Any) -> None:
    """Whatever Meta repeats: not in the message, not in the fix, not in the steps, not in the exception."""
    failure, _through, item = published(reply)
    assert isinstance(failure, Failure)
    told = f"{failure.message} {failure.fix} {failure!r} {json.dumps(item.steps)}"
    assert "0000" not in told
    receipt, _through, item = published(accepted())
    assert isinstance(receipt, Receipt)
    assert "0000" not in json.dumps([receipt.id, dict(receipt.extra), item.steps])


def test_nothing_can_be_looked_up_read_or_deleted() -> None:
    """And that is said."""
    through = CloudApi()
    item, receipt = on_its_way(through), Receipt(part=0, id="k", url=None, at=NOW)
    looked = asyncio.run(platform.look_up(item, NOW))
    assert (looked.found, looked.complete) == ((), False)
    assert asyncio.run(platform.read_back(item, receipt)) is None
    assert isinstance(asyncio.run(failure_of(platform.delete(item, receipt))), Rejected)
    assert platform.proof.blind
    assert through.requests == []


def test_check_counts_and_writes_to_nobody() -> None:
    """Quality, rights, template, the day's limit, and how many; no number of theirs."""
    facts = {"is_valid": True, "scopes": ["whatsapp_business_messaging"], "expires_at": 1_800_000_000}
    templates = [{"name": "kabar_anggota", "language": "id", "status": "PAUSED"}, {"name": "kabar_anggota_2"}]
    number = {"id": "106540352242922", "verified_name": "FSP Contoh", "quality_rating": "GREEN"}
    routes = {
        f"GET {BASE}": answer(200, number),
        "GET /v25.0/debug_token": answer(200, {"data": facts}),
        f"GET /v25.0/{ACCOUNT}/message_templates": answer(200, {"data": templates}),
        f"GET /v25.0/{ACCOUNT}": answer(200, {"id": ACCOUNT, "whatsapp_business_manager_messaging_limit": "TIER_1K"}),
    }
    through = CloudApi(routes=routes)
    recipients = listed(*PHONES[:2]) + "\n+6281200000099,,Tanpa"
    item = on_its_way(through, recipients=recipients, settings={**SETTINGS, "business_account": ACCOUNT})
    found = asyncio.run(platform.check(item))
    assert (found.identity, found.handle) == ("106540352242922/file:anggota.csv", "FSP Contoh")
    assert found.scopes == ("whatsapp_business_messaging",)
    assert found.expires is not None
    notes = " ".join(found.notes)
    for said in (
        "2 recipients",
        "1 on the list has not",
        "GREEN",
        "id: PAUSED",
        "TIER_1K",
        "not whether it was delivered",
    ):
        assert said in notes
    assert "0000" not in notes
    assert {request.method for request in through.requests} == {"GET"}


def test_check_without_the_business_account_says_what_it_can_t_see() -> None:
    """Where Meta doesn't tell the token's facts either, it still passes."""
    routes = {
        f"GET {BASE}": answer(200, {"id": "106540352242922"}),
        "GET /v25.0/debug_token": refused(100, message="no"),
    }
    found = asyncio.run(platform.check(on_its_way(CloudApi(routes=routes))))
    assert (found.scopes, found.expires) == ((), None)
    assert any("business_account" in note for note in found.notes)


def test_two_lists_of_one_number_are_two_accounts() -> None:
    """The list belongs to the address, so that branches can share a number."""
    one = on_its_way(CloudApi()).account
    other = on_its_way(CloudApi(), settings={**SETTINGS, "recipients": "file:papua.csv"}).account
    assert platform.address(one) != platform.address(other)


@pytest.mark.parametrize(
    "settings",
    [{"template": "Kabar Anggota"}, {"phone_number_id": "+62 812"}, {"version": "25"}, {"recipients": None}],
)
def test_settings_that_can_t_be_right(settings: dict[str, Any]) -> None:
    """A template's name, a number's ID and not the number itself, a version, a list."""
    with pytest.raises(ValidationError):
        platform.Settings.model_validate({**SETTINGS, **settings})


def test_preview_shows_the_message_and_nobody() -> None:
    """The file's reference stands where the numbers will."""
    item = on_its_way(CloudApi())
    (shown,) = asyncio.run(
        requests_of(item.draft, account=item.account, key="a/b/c", due=item.due, content=lambda _digest: b"")
    )
    assert shown.body["to"] == "‹file:anggota.csv›"
    assert shown.body["template"]["name"] == "kabar_anggota"
    assert shown.headers["Authorization"] == "Bearer ‹env:WHATSAPP_TOKEN›"
    assert shown.creating
