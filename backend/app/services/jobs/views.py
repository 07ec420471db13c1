"""A job as the API, the events and the webhooks show it: one function writes it (docs/api.md, Job)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from app.core.clock import to_json_time
from app.models import Job, JobStatus


def _time(value: datetime | None) -> str | None:
    return None if value is None else to_json_time(value)


def job_view(job: Job) -> dict[str, Any]:
    """Every key of the contract; unknown values are None."""
    final_time = job.processing_time_ms if job.status == JobStatus.COMPLETED else None
    return {
        "id": str(job.id),
        "file_id": str(job.file_id) if job.file_id else None,
        "source": {"url": job.source_url, **job.source} if job.source_url else None,
        "transcript_id": None if job.transcript_id is None else str(job.transcript_id),
        "filename": job.filename,
        "status": job.status,
        "stage": job.stage,
        "progress": round(job.progress, 4),
        "eta_seconds": job.eta_seconds,
        "language": job.detected_language or job.language,
        "requested_language": job.language,
        "mode": job.mode,
        "vad": job.vad,
        "translate": job.translate,
        "vocabulary": job.vocabulary,
        "prompt": job.prompt,
        "speakers": job.speakers,
        "max_speakers": job.max_speakers,
        "speaker_state": job.speaker_state,
        "speaker_reason": job.speaker_reason,
        "cached_from": None if job.cached_from is None else str(job.cached_from),
        "engine": job.engine,
        "model": job.model,
        "requested_engine": job.requested_engine,
        "requested_model": job.requested_model,
        "low_accuracy": job.low_accuracy,
        "engine_reasons": job.engine_reasons,
        "wait_reason": job.wait_reason,
        "run_after": _time(job.run_after) if job.status == JobStatus.PENDING else None,
        "cancel_requested": job.cancel_requested_at is not None,
        "attempt": job.attempt,
        "windows": {
            "planned": job.windows_planned,
            "committed": job.windows_committed,
            "executed": job.windows_executed,
        },
        "warnings": job.warnings,
        "error": None
        if job.error_code is None
        else {"code": job.error_code, "message": job.error_message or "", **(job.error_detail or {})},
        "gaps": [{"start_ms": start, "end_ms": end} for start, end in job.gaps],
        "duration_ms": job.duration_ms,
        "speech_ms": job.speech_ms,
        "covered_ms": job.covered_ms,
        "processing_time_ms": job.processing_time_ms,
        "real_time_factor": round(final_time / job.duration_ms, 4)
        if final_time is not None and job.duration_ms
        else None,
        "created_at": _time(job.created_at),
        "started_at": _time(job.started_at),
        "finished_at": _time(job.finished_at),
    }
