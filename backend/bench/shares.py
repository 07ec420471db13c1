"""Where the time of a job goes, and how fast recordings are read with and without the search for speech.

The engine's own time of each window stands in the checkpoints; the server's CPU time is that of its own process,
which holds the API, the queue and the database: its first thread is the event loop, in the others SQLite and files are
worked on. Reading happens in a process of its own, beside the engines.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

from app.asr.host.decoder import Decoder, Finished
from app.asr.limits import MediaLimits
from app.asr.types import TranscribeOptions, Vad
from bench.chart import Bar, Bars, Chart
from bench.figures import Figure
from bench.lab import Lab
from bench.server import wall_seconds


def measure(lab: Lab) -> Iterator[Figure | Chart]:
    """Informational: no budget of its own."""
    minutes = 2 if lab.quick else 10
    recording = lab.hiss(minutes * 60)
    plain, with_vad = (_read_seconds(recording, vad) for vad in (Vad.OFF, Vad.AUTO))
    with lab.server(lab.scripted) as server:
        warm = server.finish(server.upload(recording), limit_seconds=minutes * 120)
        before, loop_before = server.own_cpu_seconds(), server.loop_cpu_seconds()
        job = server.finish(server.again(warm), limit_seconds=minutes * 120)
        own, loop = server.own_cpu_seconds() - before, server.loop_cpu_seconds() - loop_before
        engine = _engine_seconds(server.data_dir / "transcribe.db", job["id"])
        wall, processes = wall_seconds(job), server.engine_processes
    cores = wall * processes
    vad = with_vad - plain
    yield Figure(
        f"Shares of {processes} cores, {minutes} min, base dimensions",
        f"engine {engine / cores:.1%}, decoding {plain / cores:.1%}, search for speech {vad / cores:.1%} (where asked"
        f" for), server's loop {loop / cores:.1%}, database and files {max(0.0, own - loop) / cores:.1%}"
        f" ({own / minutes * 60:.1f} CPU s of the server an hour of audio)",
    )
    parts = {
        "engine": engine,
        "decoding": plain,
        "search for speech": vad,
        "server": loop,
        "database and files": max(0.0, own - loop),
    }
    title = f"CPU seconds of a job of {minutes} min, base dimensions"
    yield Bars(
        "shares",
        title,
        "s",
        [("", [Bar(name, seconds, f"{seconds / cores:.1%}") for name, seconds in parts.items()])],
    )
    yield Figure(
        "Speed of reading an MP3, one process",
        f"{minutes * 60 / plain:,.0f} x real time, with the search for speech {minutes * 60 / with_vad:,.0f} x",
    )


def _read_seconds(recording: Path, vad: Vad) -> float:
    """Wall time of the decoder's process, its start included."""

    async def run() -> float:
        began = time.monotonic()
        async with Decoder().open(recording, TranscribeOptions(vad=vad), MediaLimits()) as events:
            async for event in events:
                if isinstance(event, Finished):
                    return time.monotonic() - began
        raise RuntimeError("the decoder gave no summary")

    return asyncio.run(run())


def _engine_seconds(database: Path, job_id: str) -> float:
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
        query = "SELECT sum(engine_ms) FROM job_windows WHERE replace(job_id, '-', '') = ?"
        return float(connection.execute(query, (job_id.replace("-", ""),)).fetchone()[0]) / 1000
