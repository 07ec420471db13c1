"""Who speaks when in a recording with one channel, and whose words are whose. Needs no engine and no database."""

from app.asr.diarization.assign import assign
from app.asr.diarization.availability import Availability, availability
from app.asr.diarization.host import diarize
from app.asr.diarization.types import Embedder, Turn, turns_from_json, turns_to_json

__all__ = [
    "Availability",
    "Embedder",
    "Turn",
    "assign",
    "availability",
    "diarize",
    "turns_from_json",
    "turns_to_json",
]
