"""Model files: the catalogue, what is on disk, downloads, and a look inside."""

from app.asr.models.catalogue import CatalogueEntry, catalogue, find, is_known
from app.asr.models.download import download
from app.asr.models.files import ModelFile, is_path, is_present, is_usable, resolve, verify
from app.asr.models.shelf import FileState, FileStatus, check_again, inspect, remove

__all__ = [
    "CatalogueEntry",
    "FileState",
    "FileStatus",
    "ModelFile",
    "catalogue",
    "check_again",
    "download",
    "find",
    "inspect",
    "is_known",
    "is_path",
    "is_present",
    "is_usable",
    "remove",
    "resolve",
    "verify",
]
