"""The OpenAPI document against the application (R18): no 5xx, no answer that the document does not name.

`make test` spends half a minute on it, `make fuzz` five, with another seed each time, which it prints; FUZZ_SEED=n
makes it the same again.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import pytest

from tests.contract.schemathesis_run import run_schemathesis, seed_owner
from tests.fixtures.app import MakeApp

SEEDS = {"sqlite": 20_261_128, "postgres": 28_112_026}
EVERYTHING = "examples,coverage,fuzzing,stateful"


async def fuzz(
    make: MakeApp, url: str, folder: Path, *, phases: str, seconds: int, examples: int, seed: int
) -> None:
    app = await make(
        database_url=url,
        transcription_backend="stub",
        url_ingestion="on",
        url_allowlist=("recordings.invalid",),
        model_base_url="http://127.0.0.1:9",
    )
    outcome = await run_schemathesis(
        app, await seed_owner(app), folder, phases=phases, seconds=seconds, examples=examples, seed=seed
    )
    assert outcome.status == 0, f"FUZZ_SEED={seed}\n{outcome.output}"


@pytest.mark.parametrize("database", SEEDS)
async def test_r18_every_answer_is_in_the_document(
    request: pytest.FixtureRequest, serve_app: MakeApp, tmp_path: Path, database: str
) -> None:
    """A few requests for each operation; how many, the machine decides."""
    url = request.getfixturevalue(f"{database}_url")
    await fuzz(serve_app, url, tmp_path, phases="fuzzing", seconds=15, examples=4, seed=SEEDS[database])


@pytest.mark.long
@pytest.mark.parametrize("database", SEEDS)
async def test_r18_every_answer_is_in_the_document_for_minutes(
    request: pytest.FixtureRequest, serve_app: MakeApp, tmp_path: Path, database: str
) -> None:
    seed = int(os.environ.get("FUZZ_SEED", "0")) or secrets.randbits(31)
    print(f"FUZZ_SEED={seed} ({database})")
    url = request.getfixturevalue(f"{database}_url")
    await fuzz(serve_app, url, tmp_path, phases=EVERYTHING, seconds=150, examples=30, seed=seed)
