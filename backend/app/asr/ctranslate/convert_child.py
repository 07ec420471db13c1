"""The process that converts one model: it imports ctranslate2, and holds all weights for a moment."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path
from typing import Any

from app.core.child import confine, frames

NICE = 10
FILE_BYTES = 8 << 30


def main() -> None:
    """Takes one request on standard input; one message, or death, is the answer."""
    pipe = confine.protocol_pipe()
    first = frames.read(sys.stdin.buffer)
    if first is None:
        return
    request = first[0]
    confine.die_with_parent(request["parent"])
    confine.limit(file_bytes=FILE_BYTES, nice=NICE)
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    frames.write(pipe, _answer(request))


def _answer(request: dict[str, Any]) -> dict[str, Any]:
    from app.core.errors import JobError

    source = Path(request["source"])
    try:
        from app.asr.ctranslate.convert import convert

        convert(source, Path(request["folder"]), request["name"])
    except JobError as error:
        return {"kind": "failed", "code": error.code, "message": error.message}
    except ImportError as error:
        message = f"The package of faster_whisper is not installed whole ({error})."
        return {"kind": "failed", "code": "engine_failed", "message": message}
    except MemoryError:
        message = f"Converting {source.name} needs more memory than there is."
        return {"kind": "failed", "code": "model_invalid", "message": message}
    except (OSError, KeyError, ValueError) as error:
        message = f"{source.name} could not be converted ({type(error).__name__}: {error})."
        return {"kind": "failed", "code": "model_invalid", "message": message}
    return {"kind": "done"}


def _leave_with_parent() -> None:
    """The parent holds our input open as long as it wants us."""
    sys.stdin.buffer.read()
    os._exit(1)


if __name__ == "__main__":
    main()
