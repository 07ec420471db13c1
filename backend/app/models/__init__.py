"""All tables; importing this package registers them with the metadata."""

from app.models.external import CallState, ExternalCall
from app.models.jobs import FINAL, Job, JobEvent, JobStatus, JobWindow, SpeakerState
from app.models.media import MediaFile, RenditionState, Upload, UploadState
from app.models.transcripts import Segment, Speaker, Transcript
from app.models.users import RefreshToken, Session, Ticket, User
from app.models.workspaces import Membership, Role, Workspace

__all__ = [
    "FINAL",
    "CallState",
    "ExternalCall",
    "Job",
    "JobEvent",
    "JobStatus",
    "JobWindow",
    "MediaFile",
    "Membership",
    "RefreshToken",
    "RenditionState",
    "Role",
    "Segment",
    "Session",
    "Speaker",
    "SpeakerState",
    "Ticket",
    "Transcript",
    "Upload",
    "UploadState",
    "User",
    "Workspace",
]
