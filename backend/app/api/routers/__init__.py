"""All routers, in the order of the documentation."""

from fastapi import APIRouter

from app.api.routers import auth, jobs, live, operations, transcribe

# live stands before jobs: /api/jobs/events is not the job named "events".
ROUTERS: tuple[APIRouter, ...] = (
    auth.router,
    transcribe.router,
    live.router,
    jobs.router,
    operations.router,
)
