"""Rows 13 and 14: whatever a link, a page, a redirect or a name server says, nothing private is ever reached."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.core.errors import AppError
from app.fetch import Fetcher, SiteRules, check_url
from app.fetch.addresses import is_public
from tests.fixtures.site import Site, serving

HOSTS = {
    "private.example.org": ["127.0.0.1"],
    "metadata.example.org": ["169.254.169.254"],
    "mapped.example.org": ["::ffff:127.0.0.1"],
    "six.example.org": ["::1"],
    "lan.example.org": ["192.168.1.10"],
    "cgnat.example.org": ["100.64.0.1"],
    "many.example.org": ["10.0.0.5"],
}
SPELLINGS = (
    "http://127.0.0.1:{port}/",
    "http://127.1:{port}/",
    "http://2130706433:{port}/",
    "http://0x7f000001:{port}/",
    "http://0177.0.0.1:{port}/",
    "http://0x7f.1:{port}/",
    "http://017700000001:{port}/",
    "http://127.0.1:{port}/",
    "http://0:{port}/",
    "http://0.0.0.0:{port}/",
    "http://[::1]:{port}/",
    "http://[::]:{port}/",
    "http://[::ffff:127.0.0.1]:{port}/",
    "http://[::ffff:7f00:1]:{port}/",
    "http://[0:0:0:0:0:ffff:127.0.0.1]:{port}/",
    "http://[::127.0.0.1]:{port}/",
    "http://[64:ff9b::7f00:1]:{port}/",
    "http://[2002:7f00:1::]:{port}/",
    "http://[fe80::1%25lo]:{port}/",
    "http://[fc00::1]/",
    "http://localhost:{port}/",
    "http://LOCALHOST:{port}/",
    "http://localhost.:{port}/",
    "http://foo.localhost:{port}/",
    "http://printer.local/",
    "http://db.internal/",
    "http://router.lan/",
    "http://intranet/",
    "http://169.254.169.254/latest/meta-data/",
    "http://[fd00:ec2::254]/",
    "http://100.100.100.200/",
    "http://10.0.0.1/",
    "http://172.16.0.1/",
    "http://192.168.0.1/",
    "http://100.64.0.1/",
    "http://198.18.0.1/",
    "http://192.0.2.1/",
    "http://224.0.0.1/",
    "http://255.255.255.255/",
    "http://240.0.0.1/",
    "http://user@127.0.0.1:{port}/",
    "http://user:pass@example.org/",
    "http://example.org@127.0.0.1:{port}/",
    "http://127.0.0.1:{port}\\@example.org/",
    "http://example.org:80\\@127.0.0.1:{port}/",
    "http://１２７.０.０.１:{port}/",
    "http://127。0。0。1:{port}/",
    "http://①②⑦.0.0.1:{port}/",
    "file:///etc/passwd",
    "ftp://127.0.0.1/x",
    "gopher://127.0.0.1:{port}/_x",
    "data:audio/wav;base64,AAAA",
    "javascript:alert(1)",
    "ytsearch:anything",
    "dict://127.0.0.1:{port}/",
    "//127.0.0.1:{port}/",
    "http://",
    "http:///etc/passwd",
    "http://[::1",
    "http://%31%32%37.0.0.1:{port}/",
    "http://127.0.0.1%2f@example.org/",
    "http://private.example.org:{port}/",
    "http://metadata.example.org/",
    "http://mapped.example.org:{port}/",
    "http://six.example.org:{port}/",
    "http://lan.example.org/",
    "http://cgnat.example.org/",
    "http://many.example.org:{port}/",
)


@pytest.mark.parametrize("spelling", SPELLINGS)
async def test_row_13_nothing_private_is_reached(listener: Site, tmp_path: Path, spelling: str) -> None:
    fetcher = Fetcher(hosts=HOSTS, slow_seconds=2, max_seconds=60)
    with pytest.raises(AppError) as refused:
        await fetcher.fetch(
            spelling.format(port=listener.port), tmp_path, max_bytes=1 << 20, max_audio_seconds=60
        )
    assert refused.value.code == "url_not_allowed"
    assert listener.asked == []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("not a link", "This is not a link: it should begin with https://."),
        ("example.org/talk.mp3", "This is not a link: it should begin with https://."),
        (
            "https://example.org/my talk.mp3",
            "The link holds a blank or another character that no address has.",
        ),
    ],
)
def test_what_is_no_link_is_told_as_it_is(text: str, told: str) -> None:
    with pytest.raises(AppError) as refused:
        check_url(text, SiteRules())
    assert refused.value.message == told


def test_row_13_there_are_enough_of_them() -> None:
    assert len(SPELLINGS) >= 60


@pytest.mark.parametrize("path", ["/redirect-elsewhere", "/chain", "/page-elsewhere"])
@pytest.mark.parametrize(
    "target", ["http://127.0.0.1:{port}/talk.wav", "http://private.example.org:{port}/talk.wav"]
)
async def test_row_13_no_page_and_no_redirect_leads_there(
    site: Site, listener: Site, tmp_path: Path, path: str, target: str
) -> None:
    site.elsewhere = target.format(port=listener.port)
    fetcher = Fetcher(permitted=site.permitted, hosts=HOSTS, slow_seconds=2, max_seconds=60)
    with pytest.raises(AppError) as refused:
        await fetcher.fetch(f"{site.base}{path}", tmp_path, max_bytes=1 << 20, max_audio_seconds=60)
    assert refused.value.code == "url_not_allowed"
    assert listener.asked == []


async def test_row_13_a_name_that_changes_its_address_is_looked_at_each_time(
    site: Site, tmp_path: Path
) -> None:
    """DNS rebinding: the second answer names another machine, where a private service listens on the same port."""
    other = Site(site.port, b"secret", host="127.0.0.2")
    site.elsewhere = f"http://rebind.example.org:{site.port}/talk.wav"
    hosts = {"rebind.example.org": ["127.0.0.1", "127.0.0.2"]}
    fetcher = Fetcher(permitted=site.permitted, hosts=hosts, slow_seconds=2, max_seconds=60)
    async with serving(other):
        with pytest.raises(AppError) as refused:
            await fetcher.fetch(
                f"http://rebind.example.org:{site.port}/redirect-elsewhere",
                tmp_path,
                max_bytes=1 << 20,
                max_audio_seconds=60,
            )
    assert refused.value.code == "url_not_allowed"
    assert site.asked
    assert other.asked == []


async def test_row_13_no_environment_leads_around_the_guard(
    site: Site, listener: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, listener.base)
    fetcher = Fetcher(permitted=site.permitted, slow_seconds=2, max_seconds=60)
    got = await fetcher.fetch(f"{site.base}/talk.wav", tmp_path, max_bytes=1 << 20, max_audio_seconds=60)
    assert got.path.read_bytes() == site.sound
    assert listener.asked == []


def test_row_14_sites_are_allowed_and_blocked_with_what_is_below_them() -> None:
    rules = SiteRules(allow=("example.org", "media.test"), block=("bad.example.org",))
    for good in ("https://example.org/a", "https://www.EXAMPLE.org./a", "https://cdn.media.test/x"):
        assert check_url(good, rules) == good
    for bad in (
        "https://bad.example.org/",
        "https://x.bad.example.org/",
        "https://notexample.org/",
        "https://8.8.8.8/",
    ):
        with pytest.raises(AppError) as refused:
            check_url(bad, rules)
        assert refused.value.code == "url_not_allowed"


@pytest.mark.parametrize("address", ["8.8.8.8", "93.184.215.14", "2606:4700::1111", "::ffff:8.8.8.8"])
def test_public_addresses_are_public(address: str) -> None:
    assert is_public(address)
