"""Addresses of databases whose passwords nobody wrote as an address wants them."""

from __future__ import annotations

import pytest

from campaign_cli.errors import LedgerError
from campaign_cli.ledger.postgresql import parse, shown


@pytest.mark.parametrize(
    "wrong",
    [
        "postgresql://siti:satu@rahasia@basis.example/serikat",
        "postgresql://siti:satu@rahasia/dua@basis.example/serikat",
        "postgresql://si/ti:rahasia@basis.example/serikat",
    ],
)
def test_a_password_that_parts_the_address_is_not_taken_for_a_host(wrong: str) -> None:
    """Its end would be looked up by DNS and stand in every message as the name of the server."""
    with pytest.raises(LedgerError) as caught:
        parse(wrong)
    assert "rahasia" not in caught.value.message + caught.value.fix
    assert "%40" in caught.value.fix


def test_a_password_as_an_address_wants_it_is_read_whole() -> None:
    """Signs that part an address are written as percent and number."""
    url = parse("postgresql://siti:satu%40rahasia%2Fdua%3A%3F%25@[::1]:5433/serikat")
    assert url.password == "satu@rahasia/dua:?%"
    assert shown(url) == "postgresql://[::1]:5433/serikat"
