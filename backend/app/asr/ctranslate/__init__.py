"""Whisper models that are folders: what each must hold, and how a ggml file becomes one in CTranslate2's layout."""

from app.asr.ctranslate.folder import (
    check_folder,
    check_mlx_folder,
    folder_for,
    is_converted,
    is_multilingual,
)

__all__ = ["check_folder", "check_mlx_folder", "folder_for", "is_converted", "is_multilingual"]
