"""Writes the pages' picture of the API: openapi.json from the application, schema.gen.ts from that.

openapi.py            write both
openapi.py --check    change nothing; end with 1 where one of them is not current
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

FRONTEND = Path(__file__).resolve().parents[2] / "frontend"
DOCUMENT = FRONTEND / "src" / "api" / "openapi.json"
TYPES = FRONTEND / "src" / "api" / "schema.gen.ts"


def document() -> str:
    """The OpenAPI document of the application with test settings."""
    from app.core.config import GROUPS

    for group in GROUPS.values():
        for name in group.model_fields:
            os.environ.pop(name.upper(), None)
    with tempfile.TemporaryDirectory() as data:
        os.environ |= {"ENV": "test", "DATA_DIR": data, "LOG_LEVEL": "ERROR"}
        from app.main import create_app

        return json.dumps(create_app().openapi(), indent=2, ensure_ascii=False) + "\n"


def types(openapi: str) -> str:
    """The TypeScript types of a document, by the openapi-typescript of frontend/package-lock.json."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "openapi.json"), Path(folder, "schema.gen.ts")
        source.write_text(openapi, "utf-8")
        tool = FRONTEND / "node_modules" / "openapi-typescript" / "bin" / "cli.js"
        command = ["node", str(tool), str(source), "-o", str(target)]
        subprocess.run(command, cwd=FRONTEND, check=True, stdout=subprocess.DEVNULL)
        return target.read_text("utf-8")


def main(arguments: list[str]) -> int:
    """Write or check; answers the exit status."""
    openapi = document()
    wanted = {DOCUMENT: openapi, TYPES: types(openapi)}
    stale = [path for path, text in wanted.items() if not path.exists() or path.read_text("utf-8") != text]
    names = ", ".join(str(path.relative_to(FRONTEND.parent)) for path in stale)
    if "--check" in arguments:
        if stale:
            print(f"Not current: {names}. Run `make openapi` and commit the result.", file=sys.stderr)
        return 1 if stale else 0
    for path in stale:
        path.write_text(wanted[path], "utf-8")
    print(f"Written: {names}" if stale else "Both files are current.")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
