"""The list of recipients: who has agreed is written to, once, and no message repeats a number."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from campaign_cli.credentials import Secrets
from campaign_cli.errors import CredentialError, Rejected
from campaign_cli.platforms.whatsapp_list import Recipient, mark, read_recipients, without_numbers

TODAY = date(2026, 12, 3)
HEAD = "phone,opted_in,name\n"


def phones(text: str) -> list[str]:
    return [person.phone for person in read_recipients(text, today=TODAY).people]


def test_whoever_agreed_is_on_it() -> None:
    """Numbers as people write them, names if known; a number twice counts once; empty lines are none."""
    found = read_recipients(
        HEAD + "+62 812-0000-0011,2026-01-05,Ani\n\n+6281200000022,2026-12-03,\n+6281200000011,2026-02-01,Ani\n",
        today=TODAY,
    )
    assert found.people == (
        Recipient(phone="+6281200000011", name="Ani"),
        Recipient(phone="+6281200000022"),
    )
    assert found.without_consent == 0


def test_without_a_date_nobody_is_written_to() -> None:
    """No date, or one that is still to come."""
    found = read_recipients(HEAD + "+6281200000011,,Ani\n+6281200000022,2026-12-04,Budi\n", today=TODAY)
    assert (found.people, found.without_consent) == ((), 2)


@pytest.mark.parametrize(
    "text",
    [
        "phone;opted_in\n+6281200000011;2026-01-05\n",
        "\ufeffPhone,Opted_In\r\n+6281200000011,2026-01-05T08:00:00\r\n",
        'name,opted_in,phone,cabang\n"Ani, Siti",2026-01-05,+6281200000011,Papua\n',
        "phone,opted_in,name\n+6281200000011,2026-01-05",
    ],
)
def test_a_spreadsheets_own_ways_are_understood(text: str) -> None:
    """Semicolons, a byte order mark, other columns, rows that end early."""
    assert phones(text) == ["+6281200000011"]


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("081200000011,2026-01-05,Ani", "ends in 11"),
        ("+62812ab000011,2026-01-05,Ani", "ends in 11"),
        ("+0281200000011,2026-01-05,Ani", "ends in 11"),
        (",2026-01-05,Ani", "ends in –"),
        ("+6281200000011,kemarin,Ani", "date of consent"),
        ("+6281200000011,05/01/2026,Ani", "date of consent"),
    ],
)
def test_a_row_that_can_t_be_used_stops_everything(row: str, says: str) -> None:
    """The line is named, the number is not, and how to write it is said."""
    with pytest.raises(Rejected) as caught:
        read_recipients(f"{HEAD}+6281200000022,2026-01-05,Budi\n{row}\n", today=TODAY)
    assert "line 3" in caught.value.message
    assert says in caught.value.message
    assert "00000" not in caught.value.message
    assert caught.value.fix


def test_a_long_list_of_faults_is_cut() -> None:
    """Ten lines are named, and that there are more."""
    with pytest.raises(Rejected) as caught:
        read_recipients(HEAD + "0812,2026-01-05,x\n" * 30, today=TODAY)
    assert caught.value.message.startswith("30 rows")
    assert caught.value.message.count("line ") == 10


@pytest.mark.parametrize("text", ["", "nomor,tanggal\n+6281200000011,2026-01-05", "phone\n+6281200000011"])
def test_a_file_without_its_columns_is_refused(text: str) -> None:
    """Nobody is written to by guessing."""
    with pytest.raises(Rejected):
        read_recipients(text, today=TODAY)


def test_a_mark_stands_for_a_number() -> None:
    """The same for ever, another for another number or account, and the number is not in it."""
    one = mark("+6281200000011", salt="106540352242922")
    assert one == mark("+6281200000011", salt="106540352242922")
    assert one != mark("+6281200000012", salt="106540352242922")
    assert one != mark("+6281200000011", salt="2")
    assert (len(one), "6281200000011" in one) == (32, False)


def test_a_recipient_is_not_shown() -> None:
    """Neither number nor name is in what a log would show."""
    assert repr(Recipient(phone="+6281200000011", name="Ani")) == "Recipient()"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("not sent to +6281200000011.", "not sent to …11."),
        ("wa_id 6281200000011", "wa_id …11"),
        ("+62 812-0000-0011 blocked", "…11 blocked"),
        ("error 131026", "error 131026"),
    ],
)
def test_numbers_are_cut_out_of_texts(text: str, shown: str) -> None:
    """Codes stay."""
    assert without_numbers(text) == shown


def test_the_file_is_read_anew_and_whole(tmp_path: Path) -> None:
    """Who was taken off the list is not written to by a process that runs for weeks; others may not read it."""
    path = tmp_path / "anggota.csv"
    path.touch(mode=0o600)
    secrets = Secrets(environment={}, root=tmp_path)
    rows = "".join(f"+62812{number:07d},2026-01-05,x\n" for number in range(20_000))
    path.write_text(HEAD + rows)
    assert len(phones(secrets.reveal("file:anggota.csv"))) == 20_000
    path.write_text(HEAD + "+6281200000022,2026-01-05,Budi\n")
    assert phones(secrets.reveal("file:anggota.csv")) == ["+6281200000022"]
    path.write_text(HEAD + rows * 3)
    with pytest.raises(CredentialError, match="larger"):
        secrets.reveal("file:anggota.csv")
    path.write_text(HEAD)
    path.chmod(0o640)
    with pytest.raises(CredentialError, match="Others can read"):
        secrets.reveal("file:anggota.csv")
