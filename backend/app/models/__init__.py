"""All tables; importing this package registers them with the metadata."""

from app.models.api_keys import ApiKey, Scope
from app.models.audit import AuditEntry
from app.models.credentials import (
    BackupCode,
    ExternalIdentity,
    LoginThrottle,
    MailPurpose,
    MailToken,
    UsedState,
)
from app.models.external import CallState, ExternalCall
from app.models.history import HistoryEntry, HistoryKind
from app.models.idempotency import IdempotencyKey
from app.models.jobs import FINAL, Job, JobEvent, JobStatus, JobWindow, SpeakerState
from app.models.mails import Mail, MailState
from app.models.media import MediaFile, RenditionState, Upload, UploadState
from app.models.periodic import PeriodicTask
from app.models.shares import JobGrant, Permission, ShareLink
from app.models.transcripts import Segment, Speaker, Transcript
from app.models.usage import UsageRecord, UsageState
from app.models.users import RefreshToken, Session, Ticket, User
from app.models.webhooks import (
    Delivery,
    DeliveryAttempt,
    DeliveryState,
    DisabledReason,
    EventType,
    OutboxEvent,
    WebhookEndpoint,
)
from app.models.workspaces import Invitation, Membership, Role, Workspace

__all__ = [
    "FINAL",
    "ApiKey",
    "AuditEntry",
    "BackupCode",
    "CallState",
    "Delivery",
    "DeliveryAttempt",
    "DeliveryState",
    "DisabledReason",
    "EventType",
    "ExternalCall",
    "ExternalIdentity",
    "HistoryEntry",
    "HistoryKind",
    "IdempotencyKey",
    "Invitation",
    "Job",
    "JobEvent",
    "JobGrant",
    "JobStatus",
    "JobWindow",
    "LoginThrottle",
    "Mail",
    "MailPurpose",
    "MailState",
    "MailToken",
    "MediaFile",
    "Membership",
    "OutboxEvent",
    "PeriodicTask",
    "Permission",
    "RefreshToken",
    "RenditionState",
    "Role",
    "Scope",
    "Segment",
    "Session",
    "ShareLink",
    "Speaker",
    "SpeakerState",
    "Ticket",
    "Transcript",
    "Upload",
    "UploadState",
    "UsageRecord",
    "UsageState",
    "UsedState",
    "User",
    "WebhookEndpoint",
    "Workspace",
]
