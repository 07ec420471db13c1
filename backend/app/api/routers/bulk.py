"""/api/jobs/bulk and /api/jobs/count: many jobs at once."""

from __future__ import annotations

from typing import Any

from app.api.api_router import ApiRouter
from app.api.deps import ContainerDep, TenantRead, TenantWriter
from app.api.job_query import JobQuery
from app.core.pagination import Cursor
from app.schemas.bulk import BulkAnswer, BulkRequest, JobCount, job_id_of
from app.services.jobs.bulk import BulkAction, BulkResult
from app.services.jobs.pages import MAX_COUNT, JobFilter, count_of

router = ApiRouter(prefix="/api/jobs", tags=["jobs"])


@router.get("/count", response_model=JobCount, name="count")
async def count(session: TenantRead, wanted: JobQuery) -> Any:
    """How many jobs the list with this filter has."""
    found = await count_of(session, wanted)
    return {"count": min(found, MAX_COUNT), "more": found > MAX_COUNT}


# Each job has a transaction of its own, so none is open around all of them.
@router.post("/bulk", response_model=BulkAnswer, name="bulk")
async def act_on_many(body: BulkRequest, container: ContainerDep, tenant: TenantWriter) -> Any:
    """Cancel, retry or delete many jobs. Answers 200 with what became of each."""
    action = BulkAction(body.action)
    if body.ids is not None:
        ids = [job_id_of(one) for one in body.ids]
        results = await container.bulk.on_ids(tenant.workspace_id, action, ids)
        return {"items": [_item(result) for result in results], "next_cursor": None}
    asked = body.filter
    assert asked is not None
    wanted = JobFilter(asked.status, asked.q, asked.created_before)
    results, following = await container.bulk.on_matching(
        tenant.workspace_id, action, wanted, limit=body.limit, cursor=Cursor.decode(body.cursor)
    )
    return {
        "items": [_item(result) for result in results],
        "next_cursor": following.encode() if following is not None else None,
    }


def _item(result: BulkResult) -> dict[str, Any]:
    item: dict[str, Any] = {"id": str(result.id), "filename": result.filename}
    if result.error is None:
        return item | {"outcome": "done"}
    return item | {"outcome": "refused", "code": result.error.code, "message": result.error.message}
