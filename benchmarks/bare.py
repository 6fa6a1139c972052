"""What httpx does at best with posts to ten accounts, keeping nothing: ``python bare.py URL POSTS`` (each account's).

A small client for each account, and as many requests at a time as it has connections.
"""

from __future__ import annotations

import asyncio
import sys

import httpx

CONNECTIONS = 5
TEXT = "upah layak adalah hak setiap buruh.\nKita berkumpul di halaman kantor serikat pukul delapan\n" + "pagi. " * 8


async def worker(client: httpx.AsyncClient, *, url: str, posts: list[int]) -> None:
    """Send one post after the other."""
    while posts:
        number = posts.pop()
        body = {"status": f"Pos {number}: {TEXT}", "visibility": "public", "sensitive": False, "language": "id"}
        headers = {"Authorization": "Bearer secret", "Idempotency-Key": f"{number:040}"}
        (await client.post(url, json=body, headers=headers)).json()


async def main(url: str, posts: int) -> None:
    """Ten accounts, so many posts each."""
    limits = httpx.Limits(max_connections=CONNECTIONS)
    accounts = [(httpx.AsyncClient(limits=limits, trust_env=False), list(range(posts))) for _ in range(10)]
    await asyncio.gather(*(worker(client, url=url, posts=own) for client, own in accounts for _ in range(CONNECTIONS)))


if __name__ == "__main__":
    asyncio.run(main(f"{sys.argv[1]}/api/v1/statuses", int(sys.argv[2])))
