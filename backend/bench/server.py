"""`transcribe serve` as a process of its own, and a signed-in client of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from datetime import datetime
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Self

import httpx2
import psutil

from app.asr.host.sizing import plan_processes
from bench.cage import Cage
from tests.fixtures.app import build_settings
from tests.fixtures.server import environment, free_port

BACKEND = Path(__file__).resolve().parents[1]
EMAIL, PASSWORD = "bench@example.org", "correct horse battery staple"
START_SECONDS = 60.0
STOP_SECONDS = 40.0
POLL_SECONDS = 2.0  # seldom, because asking costs the server more than its own work on a window

FINAL = ("completed", "failed", "cancelled")

Json = dict[str, Any]


class Server:
    """A server with the product's defaults on a free port of 127.0.0.1; ended with the block."""

    def __init__(self, data_dir: Path, model: Path, cage: Cage | None = None) -> None:
        self._prefix = cage.prefix() if cage else []
        self.data_dir = data_dir
        self.port = free_port()
        self.log_file = data_dir.with_name(f"{data_dir.name}.log")
        settings = build_settings(
            data_dir,
            env="local",
            port=self.port,
            log_level="INFO",
            whisper_model=str(model),
            transcription_backend="whisper_cpp",
            engine_processes=0,
            access_token_expire_minutes=60,
            result_cache=False,  # the same recording is given again and again, to be heard each time
        )
        self.engine_processes = plan_processes(0, str(model))
        self._environment = {key: os.environ[key] for key in ("PATH", "HOME", "LANG") if key in os.environ}
        self._environment |= environment(settings)
        self._process: subprocess.Popen[bytes] | None = None
        self._family: list[psutil.Process] = []
        self._http = httpx2.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=120)
        self._signed_in_at: float | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> float:
        """Seconds from the start of the process to the first 200 of /health."""
        installed = Path(sys.executable).with_name("transcribe")
        command = [str(installed)] if installed.exists() else [sys.executable, "-m", "app.program"]
        with self.log_file.open("ab") as log:
            began = time.monotonic()
            self._process = subprocess.Popen(
                [*self._prefix, *command, "serve"],
                cwd=BACKEND,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        while time.monotonic() - began < START_SECONDS:
            if self._process.poll() is not None:
                break
            if self._is_healthy():
                return time.monotonic() - began
            time.sleep(0.01)
        self.stop()
        raise RuntimeError(f"the server did not start:\n{self.log_file.read_text()[-3000:]}")

    def stop(self) -> None:
        """SIGTERM, then SIGKILL to what is left of the processes that the server started."""
        process = self._process
        if process is None:
            return
        with suppress(psutil.NoSuchProcess):
            self._family = psutil.Process(process.pid).children(recursive=True)
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for child in self._family:
            with suppress(psutil.NoSuchProcess):
                child.kill()
        self._process = None

    def own_cpu_seconds(self) -> float:
        """CPU time of the server's own process, without its children."""
        times = psutil.Process(self.pid).cpu_times()
        return float(times.user + times.system)

    def loop_cpu_seconds(self) -> float:
        """CPU time of its first thread, which runs the event loop."""
        first = next(thread for thread in psutil.Process(self.pid).threads() if thread.id == self.pid)
        return float(first.user_time + first.system_time)

    def call(self, method: str, path: str, **options: Any) -> Any:
        """A signed-in request; the JSON of its answer."""
        answer = self._http.request(method, path, headers=self.authorization(), **options)
        if answer.is_error:
            raise RuntimeError(f"{method} {path} answered {answer.status_code}: {answer.text[:500]}")
        return answer.json() if answer.content else None

    def authorization(self) -> dict[str, str]:
        """The header that signs a request in; the account is made on first use."""
        if self._signed_in_at is None or time.monotonic() - self._signed_in_at > 1800:
            path = "register" if self._signed_in_at is None else "login"
            answer = self._http.post(f"/api/auth/{path}", json={"email": EMAIL, "password": PASSWORD})
            answer.raise_for_status()
            self._token = answer.json()["access_token"]
            self._signed_in_at = time.monotonic()
        return {"Authorization": f"Bearer {self._token}"}

    def upload(self, recording: Path, **options: str) -> Json:
        """A file through POST /api/transcribe, in English unless told otherwise; the job."""
        with recording.open("rb") as file:
            fields = {"language": "en", "vad": "off", "fresh": "true"} | options  # never a stored text
            accepted = self.call(
                "POST", "/api/transcribe", data=fields, files={"file": (recording.name, file)}
            )
        return self.job(accepted["job_id"])

    def again(self, job: Json) -> Json:
        """A new job on the file of another, with its options."""
        body = {name: job[name] for name in ("file_id", "language", "vad")} | {"fresh": True}
        created: Json = self.call("POST", "/api/jobs", json=body)
        return created

    def job(self, job_id: str) -> Json:
        """The job now."""
        found: Json = self.call("GET", f"/api/jobs/{job_id}")
        return found

    def is_over(self, job: Json) -> bool:
        """Whether it has ended by now, well or not."""
        return self.job(job["id"])["status"] in FINAL

    def finish(self, job: Json, *, limit_seconds: float) -> Json:
        """Waits for the end of a job that must complete with every window done once."""
        until = time.monotonic() + limit_seconds
        while job["status"] not in FINAL:
            if time.monotonic() > until:
                raise RuntimeError(f"the job is not done after {limit_seconds:.0f} s: {job}")
            time.sleep(POLL_SECONDS)
            job = self.job(job["id"])
        windows = job["windows"]
        if job["status"] != "completed" or windows["executed"] != windows["planned"]:
            raise RuntimeError(f"the job went wrong: {job}")
        return job

    def _is_healthy(self) -> bool:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=2)
        try:
            connection.request("GET", "/health")
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()


def wall_seconds(job: Json) -> float:
    """From the creation of a finished job to its end, by the server's clock."""
    created, finished = (datetime.fromisoformat(job[name]) for name in ("created_at", "finished_at"))
    return (finished - created).total_seconds()
