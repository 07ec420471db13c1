"""The process that makes one playable version: copies packets where browsers know the codec, else encodes AAC."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path
from typing import Any

from app.core.child import confine, frames

Json = dict[str, Any]


def main() -> None:
    """Takes one request on standard input; one message, or death, is the answer."""
    pipe = confine.protocol_pipe()
    first = frames.read(sys.stdin.buffer)
    if first is None:
        return
    request = first[0]
    confine.die_with_parent(request["parent"])
    confine.limit(
        memory_bytes=request["memory_bytes"],
        cpu_seconds=request["cpu_seconds"],
        file_bytes=request["file_bytes"],
        nice=request["nice"],
    )
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    from app.core.errors import JobError  # after the limits: everything below is under them

    answer: Json
    try:
        from app.asr.audio.rendering import render, render_clean

        write = render_clean if request["clean"] else render
        content_type = write(Path(request["source"]), Path(request["target"]))
        answer = {"kind": "done", "content_type": content_type}
    except JobError as error:
        answer = {"kind": "failed", "code": error.code, "message": error.message}
    except MemoryError:
        answer = {
            "kind": "failed",
            "code": "media_invalid",
            "message": "The file needs too much memory to read.",
        }
    except FileNotFoundError:
        answer = {"kind": "failed", "code": "media_invalid", "message": "The recording is no longer stored."}
    frames.write(pipe, answer)


def _leave_with_parent() -> None:
    """The parent holds our input open as long as it wants us."""
    sys.stdin.buffer.read()
    os._exit(1)


if __name__ == "__main__":
    main()
