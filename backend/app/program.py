"""The program `transcribe`: brings the command line into memory, and hands over to it."""

from __future__ import annotations

from app.core.garbage import pause_collection, resume_collection


def main() -> None:
    """Exit codes as `app.cli.main`."""
    pause_collection()
    from app.cli import main as run  # importing it is most of what a short command does

    resume_collection()
    run()


if __name__ == "__main__":
    main()
