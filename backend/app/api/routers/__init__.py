"""All routers, in the order of the documentation."""

from fastapi import APIRouter

from app.api.routers import admin, auth, files, jobs, live, operations, store, transcribe, workspaces

# live stands before jobs: /api/jobs/events is not the job named "events".
ROUTERS: tuple[APIRouter, ...] = (
    auth.router,
    files.router,
    store.router,
    transcribe.router,
    live.router,
    jobs.router,
    workspaces.router,
    admin.router,
    operations.router,
)
