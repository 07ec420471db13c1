"""Recordings: how they arrive, where they are read, and what browsers play."""
