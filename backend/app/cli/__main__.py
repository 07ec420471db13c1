"""`python -m app.cli` is `transcribe`."""

from app.cli import main

main()
