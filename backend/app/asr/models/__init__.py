"""Model files: the catalogue, what is on disk, downloads, and a look inside."""

from app.asr.models.catalogue import CatalogueEntry, catalogue, find, is_known
from app.asr.models.download import download
from app.asr.models.files import ModelFile, is_path, is_present, resolve, verify

__all__ = [
    "CatalogueEntry",
    "ModelFile",
    "catalogue",
    "download",
    "find",
    "is_known",
    "is_path",
    "is_present",
    "resolve",
    "verify",
]
