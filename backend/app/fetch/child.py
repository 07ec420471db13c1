"""The process that fetches one recording with yt-dlp, or lists a playlist. Started by `app.fetch.fetcher`.

It has a folder of its own, which is its home as well; no plugins, no settings of users, no programs but a JavaScript
runtime for the sites that need one; and connections to public addresses only (`app.fetch.guard`).
"""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path
from typing import Any, BinaryIO

from app.core.child import confine, frames
from app.fetch.guard import Guard

_MEMORY = 1500 << 20
_CPU_SECONDS = 1200
_THUMBNAIL_BYTES = 2 << 20
_SPARE = 64 << 20  # beside the recording: fragments, cookies
_IMAGES = {b"\xff\xd8\xff": "jpg", b"\x89PNG\r\n\x1a\n": "png", b"RIFF": "webp"}


class _Quiet:
    """Drops yt-dlp's messages: the pipe carries frames only, and what goes wrong comes as an exception."""

    def debug(self, _text: str) -> None: ...

    info = warning = debug

    def error(self, text: str) -> None: ...


def main() -> None:
    """One request on standard input, events on standard output."""
    pipe = confine.protocol_pipe()
    found = frames.read(sys.stdin.buffer)
    if found is None:
        return
    request = found[0]
    confine.die_with_parent(request["parent"])
    folder = Path(request["folder"])
    confine.limit(
        data_bytes=_MEMORY, cpu_seconds=_CPU_SECONDS, file_bytes=request["max_bytes"] + _SPARE, nice=5
    )
    guard = Guard([(host, port) for host, port in request["permitted"]], request["hosts"])
    guard.install()
    if request["library"]:
        _prefer(request["library"])
    try:
        frames.write(pipe, _work(request, folder, pipe))
    except Exception as error:
        code = "url_not_allowed" if guard.blocked else getattr(error, "fetch_code", None)
        frames.write(pipe, {"event": "failed", "code": code, "message": str(error)[:2000]})


def _prefer(library: str) -> None:
    """The newer yt-dlp in that folder, unless it cannot be loaded: then the one that came along."""
    sys.path.insert(0, library)
    try:
        import yt_dlp  # noqa: F401 (whether it can be loaded)
    except Exception:  # whatever an unfinished or unsuitable release throws
        sys.path.remove(library)
        for name in [name for name in sys.modules if name.partition(".")[0] in ("yt_dlp", "yt_dlp_ejs")]:
            del sys.modules[name]


def _work(request: dict[str, Any], folder: Path, pipe: BinaryIO) -> dict[str, Any]:
    import yt_dlp
    import yt_dlp.globals

    yt_dlp.globals.plugin_dirs.value = []
    with yt_dlp.YoutubeDL(_options(request, folder, pipe)) as site:
        if request["playlist_limit"]:
            return _entries(site.extract_info(request["url"], download=False), request["playlist_limit"])
        info = site.extract_info(request["url"], download=True)
        info = next(iter(info.get("entries") or []), None) if "entries" in (info or {}) else info
        file = next((path for path in sorted(folder.glob("recording.*")) if path.suffix != ".part"), None)
        if info is None or file is None:
            raise _RefusedError("fetch_too_large" if _over(info, request) else "fetch_unsupported")
        if file.stat().st_size > request["max_bytes"]:
            raise _RefusedError("fetch_too_large")
        return {
            "event": "done",
            "file": file.name,
            "thumbnail": _thumbnail(site, info, folder),
            **_facts(info),
        }


class _RefusedError(Exception):
    """Ended by us; `fetch_code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.fetch_code = code


def _options(request: dict[str, Any], folder: Path, pipe: BinaryIO) -> dict[str, Any]:
    """What yt-dlp may do. Everything that could start a program or read a user's files is off."""
    from yt_dlp.utils import DownloadCancelled

    class Stop(DownloadCancelled):  # type: ignore[misc]  # the package has no types
        """The one kind of error that yt-dlp hands through from a hook."""

        def __init__(self, code: str) -> None:
            super().__init__(code)
            self.fetch_code = code

    def progress(status: dict[str, Any]) -> None:
        done = int(status.get("downloaded_bytes") or 0)
        if done > request["max_bytes"]:
            raise Stop("fetch_too_large")
        total = status.get("total_bytes") or status.get("total_bytes_estimate")
        frames.write(pipe, {"event": "progress", "bytes": done, "total": int(total) if total else None})

    def fits(info: dict[str, Any], **_: object) -> str | None:
        if info.get("is_live") or info.get("live_status") in ("is_live", "is_upcoming"):
            raise Stop("fetch_live")
        if (info.get("duration") or 0) > request["max_audio_seconds"]:
            raise Stop("duration_limit")
        return None

    runtime = request["javascript"]
    return {
        "format": "bestaudio[vcodec=none]/bestaudio/best",
        "outtmpl": {"default": str(folder / "recording.%(ext)s")},
        "noplaylist": not request["playlist_limit"],
        "playlist_items": f"1:{request['playlist_limit']}" if request["playlist_limit"] else "1",
        "extract_flat": "in_playlist" if request["playlist_limit"] else False,
        "max_filesize": request["max_bytes"],
        "match_filter": fits,
        "progress_hooks": [progress],
        "buffersize": 64 << 10,  # and no larger: the limit of bytes is looked at after each
        "noresizebuffer": True,
        "socket_timeout": request["socket_seconds"],
        "retries": 2,
        "fragment_retries": 2,
        "extractor_retries": 1,
        "skip_unavailable_fragments": False,
        "proxy": request["proxy"],
        "cookiefile": _cookies(request["cookie_file"], folder),
        "js_runtimes": {runtime[0]: {"path": runtime[1]}} if runtime else {},
        "external_downloader": {"default": "native"},
        "ffmpeg_location": str(folder / "no-ffmpeg"),
        "fixup": "never",
        "postprocessors": [],
        "allowed_extractors": ["default"],
        "enable_file_urls": False,
        "cachedir": False,
        "usenetrc": False,
        "updatetime": False,
        "quiet": True,
        "noprogress": True,
        "no_color": True,
        "logger": _Quiet(),
    }


def _cookies(source: str | None, folder: Path) -> str | None:
    """A copy: yt-dlp writes cookies back, and several processes share the operator's file."""
    if not source:
        return None
    copy = folder / "cookies.txt"
    copy.write_bytes(Path(source).read_bytes())
    return str(copy)


def _entries(info: dict[str, Any] | None, limit: int) -> dict[str, Any]:
    """What a playlist holds; a link to a single recording is a list of one."""
    if info is None:
        raise _RefusedError("fetch_unsupported")
    if "entries" not in info:
        return {"event": "entries", "title": None, "entries": [{"url": info["webpage_url"], **_facts(info)}]}
    entries: list[dict[str, Any]] = []
    for entry in info["entries"]:
        url = (entry or {}).get("webpage_url") or (entry or {}).get("url")
        if url and len(entries) < limit:
            entries.append({"url": url, **_facts(entry)})
    if not entries:
        raise _RefusedError("fetch_unsupported")
    return {"event": "entries", "title": _text(info.get("title")), "entries": entries}


def _facts(info: dict[str, Any]) -> dict[str, Any]:
    return {
        "title": _text(info.get("title")),
        "site": _text(info.get("extractor_key") or info.get("ie_key")),
        "page_url": _text(info.get("webpage_url") or info.get("url")),
        "uploader": _text(info.get("uploader") or info.get("channel")),
    }


def _text(value: object) -> str | None:
    """One line of plain text, whatever a site sends."""
    if not isinstance(value, str):
        return None
    text = " ".join("".join(c if c.isprintable() else " " for c in value).split())
    return text.encode("utf-8", "ignore").decode()[:500] or None


def _over(info: dict[str, Any] | None, request: dict[str, Any]) -> bool:
    sizes = [(info or {}).get(name) for name in ("filesize", "filesize_approx")]
    return any(size and size > request["max_bytes"] for size in sizes) or info is not None


def _thumbnail(site: Any, info: dict[str, Any], folder: Path) -> str | None:
    """The picture of a page, if it is a small one of a kind that browsers show. Never a reason to fail."""
    url = info.get("thumbnail")
    if not isinstance(url, str) or not url.startswith(("http://", "https://")):
        return None
    with contextlib.suppress(Exception):
        data = site.urlopen(url).read(_THUMBNAIL_BYTES + 1)
        kind = next((kind for mark, kind in _IMAGES.items() if data.startswith(mark)), None)
        if kind == "webp" and data[8:12] != b"WEBP":
            return None
        if kind is not None and len(data) <= _THUMBNAIL_BYTES:
            name = f"thumbnail.{kind}"
            (folder / name).write_bytes(data)
            return name
    return None


if __name__ == "__main__":
    main()
    sys.stdout.flush()
    os._exit(0)  # without waiting for whatever a library has left running
