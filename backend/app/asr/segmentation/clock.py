"""The grid that speech is found on; apart from the detector, so that reading it costs no heavy library."""

from __future__ import annotations

FRAME = 512  # samples at 16 kHz
FRAME_MS = 32
