"""An engine's own process: loads one model, then answers windows until its input ends."""

from __future__ import annotations

import faulthandler
import os
import queue
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np

from app.core.child import confine, frames

Message = tuple[dict[str, Any], bytes]


def main() -> None:
    """Takes `hello`, `load` and `window` messages on standard input; answers each of the latter two."""
    pipe = confine.protocol_pipe()
    faulthandler.enable(
        all_threads=False
    )  # a crash of native code says where, in the tail that the parent keeps
    hello = frames.read(sys.stdin.buffer)
    if hello is None:
        return
    confine.die_with_parent(hello[0]["parent"])
    confine.limit(nice=hello[0]["nice"])
    inbox: queue.SimpleQueue[Message] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(inbox,), daemon=True).start()
    from app.asr import gate
    from app.asr.codec import result_to_json, spec_from_json, window_from_json, window_options_from_json
    from app.asr.engines import registry
    from app.core.errors import JobError
    from app.core.locks import hold

    engine: Any = None
    while True:
        message, payload = inbox.get()
        try:
            if message["kind"] == "load":
                spec = spec_from_json(message["spec"])
                confine.limit(data_bytes=message["data_bytes"])
                if spec.model_path is not None and Path(spec.model_path).is_file():
                    hold(Path(spec.model_path))  # `models remove` leaves it alone while this process lives
                engine = registry.create(spec.engine)
                engine.load(spec)
                frames.write(pipe, {"kind": "loaded"})
            else:
                samples = np.frombuffer(payload, "<i2").astype(np.float32) / 32768.0
                options = window_options_from_json(message["options"])
                window = window_from_json(message["window"])
                result = gate.hear(engine, samples, window, options, message["seconds"])
                frames.write(pipe, {"kind": "result", "result": result_to_json(result)})
        except JobError as error:
            frames.write(
                pipe,
                {
                    "kind": "failed",
                    "code": error.code,
                    "message": error.message,
                    "retryable": error.retryable,
                },
            )
        except Exception as error:  # whatever the engine's Python raises fails this window only
            text = f"The engine failed on a part of the recording ({type(error).__name__}: {error})."
            frames.write(
                pipe, {"kind": "failed", "code": "engine_failed", "message": text, "retryable": True}
            )


def _listen(inbox: queue.SimpleQueue[Message]) -> None:
    """The parent closes our input, or dies, when it wants us no more: then a window in work is of no use."""
    try:
        while (message := frames.read(sys.stdin.buffer)) is not None:
            inbox.put(message)
    finally:
        os._exit(0)


if __name__ == "__main__":
    main()
