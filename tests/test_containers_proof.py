"""What a container proves to the engine: a published one is never published again, however late its post shows up."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from campaign_cli.models import State
from campaign_cli.stage import graph_shapes
from campaign_cli.stage.containers import ContainerNetwork
from campaign_cli.stage.state import StageAccount
from tests.fault_helpers import Scene, Theatre, open_theatre

pytestmark = pytest.mark.parametrize("platform", ["instagram", "threads"])


@pytest.fixture
def theatre(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Theatre]:
    """A stage of its own."""
    with open_theatre(tmp_path_factory.mktemp("kosong")) as opened:
        yield opened


def test_a_post_that_is_not_listed_yet_is_waited_for(
    tmp_path: Path, theatre: Theatre, platform: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer is lost and the list lags for hours: in doubt until it shows up, then adopted, and out once."""
    scene = Scene(tmp_path, theatre, platform, ["akun"])
    try:
        scene.queue("akun", "Kabar yang terlambat terlihat.")
        scene.misbehave("akun", kind="accept-then-drop", times=1)
        with monkeypatch.context() as lagging:
            lagging.setattr(scene.server.state, "posts_of", lambda _account: [])
            for _look in range(6):
                scene.publish()
                assert scene.deliveries()["akun/kabar"].state is State.UNCERTAIN
                asyncio.run(scene.clock.sleep(1800))
        (post,) = scene.posts("akun")
        assert scene.settle() == []
        delivery = scene.deliveries()["akun/kabar"]
        assert (delivery.state, [one.id for one in delivery.receipts]) == (State.PUBLISHED, [post.id])
        assert len(scene.kept("akun")) == 1
        assert sum(one.creating for one in scene.sent["akun"]) == 1
    finally:
        scene.close()


def test_a_container_that_outlived_its_day_is_made_anew(tmp_path: Path, theatre: Theatre, platform: str) -> None:
    """The connection was cut before the post was stored, and nobody came back for two days: one post, late."""
    scene = Scene(tmp_path, theatre, platform, ["akun"])
    try:
        scene.queue("akun", "Kabar yang lama tertunda.")
        scene.misbehave("akun", kind="drop-before", times=1)
        scene.publish()
        asyncio.run(scene.clock.sleep(30 * 3600))
        assert scene.settle() == []
        assert scene.deliveries()["akun/kabar"].state is State.PUBLISHED
        assert len(scene.kept("akun")) == 1
    finally:
        scene.close()


def test_a_refusal_with_the_post_out_all_the_same_is_no_failure(
    tmp_path: Path, theatre: Theatre, platform: str
) -> None:
    """The network publishes and answers with a refusal: the container knows better, and the post is found."""
    scene = Scene(tmp_path, theatre, platform, ["akun"])
    try:
        scene.queue("akun", "Kabar yang katanya ditolak.")
        scene.misbehave("akun", kind="accept-then-answer", status=400, times=1)
        assert scene.settle() == []
        assert scene.deliveries()["akun/kabar"].state is State.PUBLISHED
        assert len(scene.kept("akun")) == 1
    finally:
        scene.close()


def test_what_failed_and_was_out_does_not_go_out_again_by_retry(
    tmp_path: Path, theatre: Theatre, platform: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Refused, and the container does not show yet that it is out: it failed. Then an officer orders it again."""
    scene = Scene(tmp_path, theatre, platform, ["akun"])
    try:
        scene.queue("akun", "Kabar yang katanya ditolak.")
        scene.misbehave("akun", kind="accept-then-answer", status=400, times=1)
        with monkeypatch.context() as slow:
            slow.setattr(graph_shapes.Container, "status", lambda _container, _now: "FINISHED")
            scene.publish()
        assert scene.deliveries()["akun/kabar"].state is State.FAILED
        asyncio.run(scene.clock.sleep(600))
        scene.ledger.retry([scene.keys["akun/kabar"]], actor="uji")
        assert scene.settle() == []
        assert len(scene.kept("akun")) == 1
        assert scene.deliveries()["akun/kabar"].state in (State.PUBLISHED, State.UNCERTAIN)
    finally:
        scene.close()


def test_a_container_that_cannot_be_read_is_published_and_never_twice(
    tmp_path: Path, theatre: Theatre, platform: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Meta shows no container at all, as in an outage, and the post's list lags: out once, in doubt until it shows."""
    scene = Scene(tmp_path, theatre, platform, ["akun", "lain"])

    def unseen(_network: ContainerNetwork, container: graph_shapes.Container, _status: str) -> dict[str, str]:
        raise graph_shapes.absent(container.id)

    try:
        scene.queue("akun", "Kabar yang jawabannya hilang.")
        scene.queue("lain", "Kabar yang wadahnya tak terlihat.")
        scene.misbehave("akun", kind="accept-then-drop", times=1)
        with monkeypatch.context() as outage:
            outage.setattr(type(scene.server.app.faults.networks[platform]), "container_json", unseen)
            with monkeypatch.context() as lagging:
                lagging.setattr(scene.server.state, "posts_of", lambda _account: [])
                for _look in range(4):
                    scene.publish()
                    asyncio.run(scene.clock.sleep(1800))
            assert scene.deliveries()["lain/kabar"].state is State.PUBLISHED
            assert scene.deliveries()["akun/kabar"].state is State.UNCERTAIN
            assert scene.settle() == []
        assert scene.deliveries()["akun/kabar"].state is State.PUBLISHED
        assert [len(scene.kept(name)) for name in ("akun", "lain")] == [1, 1]
    finally:
        scene.close()


def test_where_the_list_is_refused_the_container_is_proof_enough(
    tmp_path: Path, theatre: Theatre, platform: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cut off before it was stored, with a token that may not list: the container waits, so nothing is out."""
    scene = Scene(tmp_path, theatre, platform, ["akun"])

    def refused(*_arguments: object, **_more: object) -> None:
        raise graph_shapes.refusal(403, 10, "Application does not have permission for this action")

    try:
        scene.queue("akun", "Kabar dengan token yang sempit.")
        scene.misbehave("akun", kind="drop-before", times=1)
        monkeypatch.setattr(ContainerNetwork, "listed", refused)
        assert scene.settle() == []
        assert scene.deliveries()["akun/kabar"].state is State.PUBLISHED
        assert len(scene.kept("akun")) == 1
    finally:
        scene.close()


def test_a_token_of_another_account_publishes_nothing(tmp_path: Path, theatre: Theatre, platform: str) -> None:
    """The account is named in accounts.yaml and somebody logged in with the wrong one: it fails before it is out."""
    scene = Scene(tmp_path, theatre, platform, ["akun"])
    try:
        account = scene.workspace.accounts[scene.played["akun"]]
        settings = {**account.settings, "handle": "@orang.lain"}
        scene.workspace.accounts[account.name] = replace(account, settings=settings)
        scene.queue("akun", "Kabar untuk akun yang benar.")
        assert scene.settle() == []
        delivery = scene.deliveries()["akun/kabar"]
        assert (delivery.state, "@orang.lain" in delivery.error) == (State.FAILED, True)
        assert scene.kept("akun") == []
    finally:
        scene.close()


@pytest.mark.parametrize("tries", [1, 3])
def test_a_finished_container_that_is_not_found_is_made_anew(
    tmp_path: Path, theatre: Theatre, platform: str, tries: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Meta calls it finished and knows nothing of it when it is to be published: another one goes out, once, and soon
    after; nothing was ever public, so nobody looks for it."""
    scene = Scene(tmp_path, theatre, platform, ["akun"])
    lost: set[str] = set()
    found = ContainerNetwork.container

    def forgetful(network: ContainerNetwork, account: StageAccount, identifier: str) -> graph_shapes.Container:
        if len(lost) < tries:
            lost.add(identifier)
            subcode = 2207006 if platform == "instagram" else 4279009
            raise graph_shapes.refusal(400, 24, "The requested resource does not exist", subcode=subcode)
        return found(network, account, identifier)

    try:
        scene.queue("akun", "Kabar yang wadahnya hilang.")
        monkeypatch.setattr(ContainerNetwork, "container", forgetful)
        assert scene.settle() == []
        delivery = scene.deliveries()["akun/kabar"]
        assert (delivery.state, len(lost), len(scene.kept("akun"))) == (State.PUBLISHED, tries, 1)
        assert delivery.receipts[0].at - delivery.due < timedelta(minutes=10)
    finally:
        scene.close()
