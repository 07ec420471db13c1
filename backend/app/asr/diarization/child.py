"""The process that tells voices apart: one recording, then its end."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path
from typing import Any

from app.core.child import confine, frames

Json = dict[str, Any]


def main() -> None:
    """Takes one request on standard input; `failed`, `turns` or death is the answer."""
    pipe = confine.protocol_pipe()
    first = frames.read(sys.stdin.buffer)
    if first is None:
        return
    request = first[0]
    confine.die_with_parent(request["parent"])
    confine.limit(
        memory_bytes=request["memory_bytes"], cpu_seconds=request["cpu_seconds"], nice=request["nice"]
    )
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    from app.core.errors import JobError  # after the limits: everything below is under them

    try:
        turns = work(request, lambda fraction: frames.write(pipe, {"kind": "progress", "fraction": fraction}))
        frames.write(pipe, {"kind": "turns", "turns": turns})
    except JobError as error:
        frames.write(pipe, {"kind": "failed", "message": error.message})
    except MemoryError:
        frames.write(
            pipe, {"kind": "failed", "message": "Telling the voices apart needs more memory than allowed."}
        )
    except FileNotFoundError:
        frames.write(pipe, {"kind": "failed", "message": "The recording is no longer where it was stored."})
    except Exception as error:  # whatever the libraries raise
        frames.write(
            pipe, {"kind": "failed", "message": f"Telling the voices apart broke ({type(error).__name__})."}
        )
    os._exit(0)  # an orderly end would stumble over the thread that waits for input


def work(request: Json, report: Any) -> list[list[Any]]:
    """The turns as triples. Raises JobError."""
    from app.asr.diarization import embedder, recording
    from app.asr.diarization.clustering import Wanted
    from app.asr.diarization.types import turns_to_json
    from app.core.locks import hold

    regions, model = request["regions"], request["model"]
    if model is not None and Path(model).is_file():
        hold(Path(model))  # `models remove` leaves it alone while this process lives
    turns = recording.tell_apart(
        Path(request["path"]),
        None if regions is None else [(start, end) for start, end in regions],
        embedder.load(request["model"]),
        Wanted(request["speakers"], request["max_speakers"]),
        max_seconds=request["max_audio_seconds"],
        report=report,
    )
    return turns_to_json(turns)


def _leave_with_parent() -> None:
    """The parent holds our input open as long as it wants us."""
    sys.stdin.buffer.read()
    os._exit(1)


if __name__ == "__main__":
    main()
