"""Transcribe: audio and video into text that people can trust."""

__version__ = "0.1.0"
