"""Refresh: dated rows are added to a folder; whatever goes wrong, the folder stays as it was, byte for byte."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

import breakeven
from breakeven.catalog.refresh.download import Limits
from breakeven.catalog.refresh.gpuhunt_feed import read_feeds
from breakeven.catalog.refresh.moves import Status
from breakeven.catalog.refresh.run import RefreshPlan, refresh
from breakeven.catalog.refresh.write import write
from breakeven.errors import CatalogError, RefreshError
from price_server import GPUHUNT, VERSION, Answer, Site, archive, h100_rows, price_server, token_list

Plan = Callable[..., RefreshPlan]
TODAY = date(2026, 11, 23)
ZIP = f"/v3/nebius/{VERSION}/catalog.zip"
HTML = Answer(b"<html><body>Please sign in</body></html>", kind="text/html")
GOOD_ZIP = archive("nebius", h100_rows("nebius"))
GOOD_LIST = json.dumps(token_list()).encode()
FAILURES = {
    "tokens garbage": ("/data.json", Answer(b"\x00\x01garbage")),
    "tokens truncated": ("/data.json", Answer(GOOD_LIST[: len(GOOD_LIST) // 2])),
    "tokens cut off": ("/data.json", Answer(GOOD_LIST[:5_000], promise=len(GOOD_LIST))),
    "tokens slow": ("/data.json", Answer(GOOD_LIST, delay_s=30.0)),
    "tokens 500": ("/data.json", Answer(b"[]", status=500)),
    "tokens empty": ("/data.json", Answer(b"")),
    "tokens empty list": ("/data.json", Answer(b"[]")),
    "tokens html": ("/data.json", HTML),
    "tokens partial": ("/data.json", Answer(json.dumps(token_list()[:4]).encode())),
    "gpus garbage": (ZIP, Answer(b"PK\x03\x04garbage")),
    "gpus truncated": (ZIP, Answer(GOOD_ZIP[:-30])),
    "gpus cut off": (ZIP, Answer(GOOD_ZIP[:100], promise=len(GOOD_ZIP))),
    "gpus slow": (ZIP, Answer(GOOD_ZIP, delay_s=30.0)),
    "gpus 500": (ZIP, Answer(GOOD_ZIP, status=500)),
    "gpus 404": (ZIP, Answer(b"", status=404)),
    "gpus empty": (ZIP, Answer(b"")),
    "gpus html": (ZIP, HTML),
    "gpus other file": (ZIP, Answer(archive("aws", h100_rows("aws")))),
    "gpus no rows": (ZIP, Answer(archive("nebius", []))),
    "gpus half a row": (ZIP, Answer(archive("nebius", [*h100_rows("nebius"), "gpu-h100-sxm,eu"]))),
    "gpus version html": ("/v3/nebius/version", HTML),
    "gpus version of tomorrow": ("/v3/nebius/version", Answer(b"20261124")),
    "gpus version of spring": ("/v3/nebius/version", Answer(b"20260401")),
}


def content(folder: Path) -> dict[str, bytes]:
    """Every file below `folder`, hidden ones too."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def refreshed(plan: RefreshPlan) -> None:
    """Refresh and write, as the command does."""
    write(refresh(plan).files, plan.folder)


@pytest.fixture(scope="module")
def good_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a refresh of a good day wrote."""
    folder = tmp_path_factory.mktemp("good") / "refreshed"
    with price_server() as served:
        refreshed(RefreshPlan(folder, TODAY, token_url=served.token_url, gpu_url=served.gpu_url))
    return folder


def test_a_good_day_is_written_and_read_again_the_same(site: Site, plan: Plan) -> None:
    refreshed(plan())
    folder = plan().folder
    assert set(content(folder)) >= {"offers/gpu_refreshed.yaml", "tokens/2026-11-23.yaml"}
    again = refresh(plan())
    assert {each.status for each in again.moves} <= {Status.UNCHANGED, Status.KEPT}
    assert "offers/gpu_refreshed.yaml" not in again.files


def test_looking_writes_nothing(site: Site, plan: Plan) -> None:
    assert refresh(plan()).files
    assert not plan().folder.exists()


def test_rows_are_appended_and_none_is_lost(site: Site, plan: Plan) -> None:
    refreshed(plan())
    before = content(plan().folder)
    site.publish_gpus(factor=1.1, version="20261130-3")
    refreshed(plan(today=date(2026, 12, 1)))
    after = content(plan().folder)
    assert before.keys() <= after.keys()
    text = after["offers/gpu_refreshed.yaml"].decode()
    assert text.startswith(before["offers/gpu_refreshed.yaml"].decode().split("      - since")[0])
    assert text.count("since: 2026-11-22") == text.count("since: 2026-11-30") == 2
    assert {"tokens/2026-11-23.yaml", "tokens/2026-12-01.yaml"} <= after.keys()
    lists = [name for name in after if name.endswith(".json")]
    assert len(lists) == 1  # the same list, read twice, is kept once


@pytest.mark.parametrize("failure", FAILURES)
def test_after_any_failure_the_folder_is_as_it_was(failure: str, site: Site, plan: Plan, good_folder: Path) -> None:
    shutil.copytree(good_folder, plan().folder)
    before = content(plan().folder)
    path, answer = FAILURES[failure]
    site.publish_gpus(factor=1.1, version="20261123-9")  # the rest of the day is news
    path = path.replace(VERSION, "20261123-9")
    site.answers[path] = answer
    with pytest.raises(RefreshError):
        refreshed(plan(limits=Limits(timeout_s=0.3 if "slow" in failure else 5.0)))
    assert content(plan().folder) == before


@pytest.mark.parametrize("failure", ["tokens html", "gpus truncated"])
def test_a_failed_first_refresh_leaves_no_folder(failure: str, site: Site, plan: Plan) -> None:
    path, answer = FAILURES[failure]
    site.answers[path] = answer
    with pytest.raises(RefreshError):
        refreshed(plan())
    assert not plan().folder.exists()


@pytest.mark.parametrize("seed", range(4))
def test_a_flipped_bit_is_refused_or_harmless(seed: int, site: Site) -> None:
    """Of 25 damaged archives each is refused, or (a time stamp, a comment) says the same as the whole one."""
    others = tuple(each for each in GPUHUNT if each != "nebius")
    (whole,) = read_feeds(site.gpu_url, others, TODAY, Limits())
    rng = random.Random(seed)
    for _ in range(25):
        damaged = bytearray(GOOD_ZIP)
        damaged[rng.randrange(len(damaged))] ^= 1 << rng.randrange(8)
        site.answers[ZIP] = Answer(bytes(damaged))
        with suppress(RefreshError):
            assert read_feeds(site.gpu_url, others, TODAY, Limits()) == (whole,)


def test_one_source_can_be_read_alone(site: Site, plan: Plan) -> None:
    site.answers["/data.json"] = Answer(b"", status=500)
    refreshed(plan(sources=("gpus",)))
    assert set(content(plan().folder)) == {"offers/gpu_refreshed.yaml"}


def test_a_provider_that_fails_can_be_left_out(site: Site, plan: Plan) -> None:
    site.answers["/v3/verda/version"] = Answer(b"", status=403)
    with pytest.raises(RefreshError, match="verda/version: the server answered 403"):
        refreshed(plan(sources=("gpus",)))
    refreshed(plan(sources=("gpus",), without=("verda",)))
    assert b"verda" not in content(plan().folder)["offers/gpu_refreshed.yaml"]


def test_what_is_held_back_is_not_written_and_the_rest_is(site: Site, plan: Plan) -> None:
    site.publish_gpus(factor=2.0)
    listed = token_list()
    (openai,) = [each for each in listed if each["id"] == "openai"]
    (gpt5,) = [each for each in openai["models"] if each["id"] == "gpt-5"]
    gpt5["prices"]["input_mtok"] = 0.1
    site.publish_tokens(listed)
    refreshed(plan())
    written = content(plan().folder)
    assert "offers/gpu_refreshed.yaml" not in written
    assert b"held_back: [openai/gpt-5]" in written["tokens/2026-11-23.yaml"]


def test_nothing_is_written_into_the_package(site: Site, plan: Plan) -> None:
    inside = Path(breakeven.__file__).parent / "catalog" / "refreshed"
    with pytest.raises(RefreshError, match="inside the installed package"):
        refreshed(replace(plan(), folder=inside))
    assert not inside.exists()


def test_a_disk_that_fails_between_two_files_leaves_both_old(
    site: Site, plan: Plan, good_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(good_folder, plan().folder)
    before = content(plan().folder)
    site.publish_gpus(factor=1.1, version="20261123-9")
    result = refresh(plan(today=date(2026, 11, 24)))
    assert len(result.files) >= 2
    real, calls = Path.replace, []

    def failing(self: Path, target: Path) -> Path:
        if self.name.endswith(".new"):
            calls.append(self)
            if len(calls) == 2:
                raise OSError(28, "No space left on device")
        return real(self, target)

    monkeypatch.setattr(Path, "replace", failing)
    with pytest.raises(RefreshError, match="No space left on device"):
        write(result.files, plan().folder)
    assert content(plan().folder) == before


def test_rows_that_would_not_load_are_not_written(site: Site, plan: Plan) -> None:
    good = refresh(plan())
    bad = good.files["offers/gpu_refreshed.yaml"].replace(b"dimension: 0", b"dimension: 99999")
    with pytest.raises(CatalogError, match="unit or dimension of gpu_rent"):
        write({**good.files, "offers/gpu_refreshed.yaml": bad}, plan().folder)
    assert not plan().folder.exists()
