"""`make dev`: the API with reload and the pages' development server together; when one ends, so does the other."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType

ROOT = Path(__file__).resolve().parents[2]
GRACE_SECONDS = 28


def main() -> int:
    """Run both until one of them ends or a signal comes; answers the exit status."""
    host, port = os.environ.get("HOST", "127.0.0.1"), os.environ.get("PORT", "8000")
    subprocess.run([sys.executable, "-m", "app.program", "migrate"], cwd=ROOT / "backend", check=True)
    api = [sys.executable, "-m", "uvicorn", "app.main:app", "--reload", "--reload-dir", "app"]
    vite = shutil.which("node"), "node_modules/vite/bin/vite.js", "--host", host
    environment = os.environ | {"VITE_BACKEND": f"http://127.0.0.1:{port}"}
    processes = [
        subprocess.Popen([*api, "--host", host, "--port", port], cwd=ROOT / "backend"),
        subprocess.Popen([str(part) for part in vite], cwd=ROOT / "frontend", env=environment),
    ]
    stopped = False

    def stop(_number: int, _frame: FrameType | None) -> None:
        nonlocal stopped
        stopped = True

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    while not stopped and all(process.poll() is None for process in processes):
        time.sleep(0.2)
    for process in processes:
        if process.poll() is None:
            process.terminate()
    until = time.monotonic() + GRACE_SECONDS
    for process in processes:
        try:
            process.wait(max(0.1, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    return 0 if stopped else 1


if __name__ == "__main__":
    raise SystemExit(main())
