"""Write the next migration from the models: `make revision m="add share links"`. Read the result before committing it.

The comparison runs against a fresh SQLite database migrated to the newest revision, never against your data.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VERSIONS = ROOT / "backend" / "alembic" / "versions"


def main(message: str) -> None:
    """Make, tidy and format one file in backend/alembic/versions."""
    before = set(VERSIONS.glob("*.py"))
    number = f"{len(before) + 1:04d}"
    with tempfile.TemporaryDirectory() as data:
        env = os.environ | {"DATABASE_URL": f"sqlite:///{data}/compare.db"}
        for arguments in (
            ["upgrade", "head"],
            ["revision", "--autogenerate", "--rev-id", number, "-m", message],
        ):
            subprocess.run([sys.executable, "-m", "alembic", *arguments], cwd=ROOT, env=env, check=True)
    for path in set(VERSIONS.glob("*.py")) - before:
        text = re.sub(r"^ *# ###.*\n", "", path.read_text("utf-8"), flags=re.MULTILINE)
        text = re.sub(r"[ \t]+$", "", text.replace(", schema=None", ""), flags=re.MULTILINE)
        path.write_text(text, "utf-8")
        for tidy in (["check", "--quiet", "--select", "W", "--fix"], ["format", "--quiet"]):
            subprocess.run([sys.executable, "-m", "ruff", *tidy, str(path)], cwd=ROOT / "backend", check=True)
        print(path.relative_to(ROOT))


if __name__ == "__main__":
    if len(sys.argv) != 2 or not sys.argv[1].strip():
        raise SystemExit('Say what it does: make revision m="add share links"')
    main(sys.argv[1].strip())
