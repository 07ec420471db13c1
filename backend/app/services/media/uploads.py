"""Uploads in parts: announced, signed, listed, completed, aborted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.core.clock import utcnow
from app.core.errors import AppError, ConflictError, FileEmptyError, InvalidInputError, NotFoundError
from app.core.failpoints import reached
from app.db.session import TenantSession
from app.models import MediaFile, Upload, UploadState
from app.services.identity.quotas import require_room_for_bytes
from app.services.media.intake import STREAM, Intake, file_of, get_upload, over
from app.services.media.janitor import drop_upload
from app.services.media.plan import UploadPlan, plan_upload
from app.storage.base import SignedUrl, StoredPart


@dataclass(frozen=True, slots=True)
class Presigned:
    """An open upload and, for a single PUT, where it goes."""

    upload: Upload
    url: SignedUrl | None

    @property
    def expires_at(self) -> datetime:
        return self.url.expires_at if self.url else self.upload.expires_at


@dataclass(frozen=True, slots=True)
class SignedPart:
    """Where one part goes; `size` in bytes, exact."""

    number: int
    size: int
    url: str


class Uploads:
    """The five upload calls."""

    def __init__(self, intake: Intake) -> None:
        self._intake, self._store = intake, intake.store

    async def presign(
        self,
        workspace_id: UUID,
        *,
        user_id: UUID | None,
        filename: str,
        size: int,
        content_type: str | None,
        base_url: str,
    ) -> Presigned:
        """Open an upload of exactly `size` bytes. Raises `FileEmptyError`, `FileTooLargeError`.

        The store is asked before the transaction, which a slow bucket would hold open; what a crash between the two
        leaves in the store is swept.
        """
        if size == 0:
            raise FileEmptyError("The file is empty.", field="size")
        if size > self._intake.max_bytes:
            raise self._intake.too_large("size")
        plan = plan_upload(size)
        upload = self._intake.new_upload(workspace_id, user_id, filename, content_type, size=size)
        upload.method = "single" if plan.is_single else "multipart"
        if not plan.is_single:
            upload.part_size, upload.part_count = plan.part_size, plan.part_count
        upload.storage_upload = await self._store.begin_upload(
            upload.storage_key, size=size, single=plan.is_single
        )
        try:
            async with self._intake.database.tenant(workspace_id) as session:
                await require_room_for_bytes(session, size)
                session.add(upload)
        except AppError:
            await self._store.abort_upload(upload.storage_upload)
            raise
        if not plan.is_single:
            return Presigned(upload, None)
        return Presigned(upload, self._store.put_url(upload.storage_upload, plan.part(1), base_url=base_url))

    async def sign_parts(
        self, session: TenantSession, upload_id: UUID, numbers: Sequence[int], *, base_url: str
    ) -> list[SignedPart]:
        """Addresses for the parts asked for (a single PUT is part 1). Keeps the upload alive for another `ttl`."""
        upload = await _open(session, upload_id, lock=True)
        plan = _plan(upload)
        upload.expires_at = utcnow() + self._intake.ttl
        try:
            parts = [plan.part(number) for number in numbers]
        except IndexError as error:
            raise InvalidInputError(
                f"This upload has parts 1 to {plan.part_count}.", field="part_numbers"
            ) from error
        put_url, token = self._store.put_url, upload.storage_upload or ""
        return [SignedPart(p.number, p.size, put_url(token, p, base_url=base_url).url) for p in parts]

    async def list_parts(self, session: TenantSession, upload_id: UUID) -> list[StoredPart]:
        """What has arrived, so that an upload resumes after a reload."""
        upload = await _open(session, upload_id)
        return await self._store.list_parts(upload.storage_upload or "")

    async def complete(
        self, workspace_id: UUID, upload_id: UUID, etags: Mapping[int, str] | None
    ) -> MediaFile:
        """Seal the bytes, then write the file's row. Repeated or raced, everyone gets the same file.

        Sealing may be repeated and no transaction is open during it; `Intake.finish` decides the rest. A crash
        between the two leaves bytes without a row, never a row without bytes. Raises `ConflictError`.
        """
        async with self._intake.database.tenant(workspace_id, read_only=True) as session:
            upload = await get_upload(session, upload_id)
            if upload.state == UploadState.COMPLETED:
                return await file_of(session, upload)
        if upload.state != UploadState.OPEN or upload.method == STREAM:
            raise over()
        reached("seal.before")
        stored = await self._store.complete_upload(
            upload.storage_key, upload.storage_upload or "", _plan(upload).parts(), etags=etags
        )
        return await self._intake.finish(workspace_id, upload_id, stored)

    async def abort(self, session: TenantSession, upload_id: UUID) -> None:
        """Drop the upload; doing it twice is the same as once."""
        upload = await get_upload(session, upload_id, lock=True)
        if upload.state == UploadState.COMPLETED:
            raise ConflictError("This upload is complete. Delete its file instead.")
        if upload.state == UploadState.OPEN:
            upload.state = UploadState.ABORTED
            session.after_commit(lambda: drop_upload(self._store, upload))


async def _open(session: TenantSession, upload_id: UUID, *, lock: bool = False) -> Upload:
    upload = await get_upload(session, upload_id, lock=lock)
    if upload.state == UploadState.ABORTED or upload.method == STREAM:
        raise NotFoundError
    if upload.state != UploadState.OPEN:
        raise ConflictError("This upload is complete.")
    return upload


def _plan(upload: Upload) -> UploadPlan:
    if upload.part_size is None or upload.part_count is None:
        return UploadPlan(upload.size, upload.size, 1)
    return UploadPlan(upload.size, upload.part_size, upload.part_count)
