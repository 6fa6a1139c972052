"""What a script with Mastodon.py does: ten accounts, one post after the other: ``mastodon_loop.py URL TOKEN``."""

from __future__ import annotations

import sys

from mastodon import Mastodon

TEXT = "upah layak adalah hak setiap buruh.\nKita berkumpul di halaman kantor serikat pukul delapan\n" + "pagi. " * 8
POSTS = 20  # for each account: the rate doesn't depend on it


def main(url: str) -> None:
    """Post to each account in turn, with a key for each post."""
    accounts = [
        Mastodon(access_token=sys.argv[2], api_base_url=url, version_check_mode="none", ratelimit_method="throw")
        for _ in range(10)
    ]
    for number in range(POSTS):
        for place, account in enumerate(accounts):
            account.status_post(
                f"Pos {number}: {TEXT}", visibility="public", language="id", idempotency_key=f"{number}-{place}"
            )


if __name__ == "__main__":
    main(sys.argv[1])
