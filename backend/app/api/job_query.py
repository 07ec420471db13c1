"""The filter of a list of jobs, from the query: `status` once, repeated or separated by commas, and `q`."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Query

from app.core.errors import InvalidInputError
from app.models import JobStatus
from app.schemas.common import KeptText
from app.services.jobs.pages import JobFilter


async def _job_query(
    status: Annotated[
        list[str] | None, Query(description="One status, or several: repeated, or separated by commas.")
    ] = None,
    q: Annotated[KeptText | None, Query(max_length=200, description="Part of a file name.")] = None,
) -> JobFilter:
    return JobFilter(_statuses(status or []), q)


JobQuery = Annotated[JobFilter, Depends(_job_query)]


def _statuses(given: list[str]) -> list[JobStatus]:
    names = [name.strip() for value in given for name in value.split(",") if name.strip()]
    try:
        return [JobStatus(name) for name in names]
    except ValueError:
        allowed = ", ".join(JobStatus)
        raise InvalidInputError(f"status: must be of {allowed}.", field="query.status") from None
