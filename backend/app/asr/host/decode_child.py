"""The decoder's own process: reads one file, sends windows with samples, then a summary."""

from __future__ import annotations

import hashlib
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any, BinaryIO

from app.core.child import confine, frames

Json = dict[str, Any]
REPORT_EVERY_SECONDS = 0.25


def main() -> None:
    """Takes one request on standard input; `failed`, `finished` or death is the answer."""
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
        decode(request, pipe)
    except JobError as error:
        _fail(pipe, error.code, error.message)
    except MemoryError:
        _fail(
            pipe,
            "media_invalid",
            "The file needs more memory to read than allowed; its headers are probably wrong.",
        )
    except FileNotFoundError:
        _fail(pipe, "media_invalid", "The recording is no longer where it was stored.")
    except Exception as error:  # whatever the libraries raise on a broken file
        _fail(
            pipe,
            "media_invalid",
            f"The file cannot be read ({type(error).__name__}): it is probably damaged.",
        )
    os._exit(0)  # an orderly end would stumble over the thread that waits for input


def _fail(pipe: BinaryIO, code: str, message: str) -> None:
    frames.write(pipe, {"kind": "failed", "code": code, "message": message})


def decode(request: Json, pipe: BinaryIO) -> None:
    """Decodes, finds speech, cuts, and writes the messages that `Decoder` reads."""
    from app.asr.audio.peak_meter import PeakMeter
    from app.asr.audio.samples import RATE, SampleReader
    from app.asr.audio.source import open_source
    from app.asr.audio.summary import summarise
    from app.asr.codec import summary_to_json, window_to_json
    from app.asr.segmentation.crosstalk import mix
    from app.asr.segmentation.dialogue import DialogueWindows
    from app.asr.segmentation.windows import make_windower
    from app.asr.types import Mode, Vad

    path = Path(request["path"])
    with open_source(path) as source:
        frames.write(pipe, {"kind": "probed", "hint_ms": source.hint_ms})
        digest = _Digest(path)
        digest.start()
        vad, stereo = Vad(request["vad"]), request["mode"] == Mode.DIALOGUE and source.channels == 2
        length = request.get("window_ms")
        reader = SampleReader(source, max_seconds=request["max_audio_seconds"], stereo=stereo)
        windower = DialogueWindows(vad, window_ms=length) if stereo else make_windower(vad, length)
        meter = PeakMeter()
        windows, reported = 0, time.monotonic()
        for block in reader:
            meter.feed(mix(block) if stereo else block)
            for window, pcm in windower.feed(block):
                windows += 1
                frames.write(pipe, {"kind": "window", "window": window_to_json(window)}, pcm.tobytes())
            if time.monotonic() - reported > REPORT_EVERY_SECONDS:
                reported = time.monotonic()
                frames.write(pipe, {"kind": "decoded", "ms": reader.samples * 1000 // RATE})
        for window, pcm in windower.finish():
            windows += 1
            frames.write(pipe, {"kind": "window", "window": window_to_json(window)}, pcm.tobytes())
        digest.join()
        summary = summarise(
            source,
            reader,
            path=path,
            speech_ms=None if request["vad"] == Vad.OFF else windower.speech_ms,
            windows=windows,
            sha256=digest.value,
            by_channel=windower.by_channel,
        )
        peaks = meter.finish()
        drawing = {name: getattr(peaks, name) for name in ("sample_rate", "samples_per_pixel", "length")}
        message = {"kind": "finished", "summary": summary_to_json(summary), "peaks": drawing}
        frames.write(pipe, message, peaks.data)


class _Digest(threading.Thread):
    """SHA-256 of the file's bytes, beside the decoding."""

    def __init__(self, path: Path) -> None:
        super().__init__(daemon=True)
        self._path = path
        self.value = ""

    def run(self) -> None:
        with self._path.open("rb") as file:
            self.value = hashlib.file_digest(file, "sha256").hexdigest()


def _leave_with_parent() -> None:
    """The parent holds our input open as long as it wants us."""
    sys.stdin.buffer.read()
    os._exit(1)


if __name__ == "__main__":
    main()
