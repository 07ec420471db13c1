"""Where texts are written: beside the recording or below -o, never over one that somebody else wrote, unless asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

from app.cli.inputs import Source
from app.cli.ledger import Entry, Identity, Ledger


@dataclass(frozen=True, slots=True)
class Target:
    """The texts of one recording, a file or a link: `stem` below the ledger's folder, the same at every run, made from
    `base`."""

    ledger: Ledger
    source: Path | str
    base: str
    stem: str

    def path(self, extension: str) -> Path:
        """Where the text of a format goes."""
        return self.ledger.folder / f"{self.stem}.{extension}"

    def made_before(self) -> Entry | None:
        """What the ledger knows of this recording."""
        return self.ledger.entry(self.source)

    def is_done(self, key: str, formats: Sequence[str], now: Identity) -> bool:
        """Whether all texts are there, of the same bytes (by size and time, or by hash where it is given) and key."""
        entry = self.made_before()
        if entry is None or entry.error is not None or entry.key != key:
            return False
        same = entry.identity.looks_like(now) or (now.sha256 != "" and entry.identity.sha256 == now.sha256)
        return same and all(name in entry.texts and self.path(name).is_file() for name in formats)

    def write(self, texts: dict[str, str], key: str, identity: Identity) -> list[Path]:
        """Write each text whole or not at all, then note it. Answers where. Raises OSError."""
        known = self.made_before()
        written, paths = {}, []
        if known is not None and (known.stem, known.key, known.identity.sha256) == (
            self.stem,
            key,
            identity.sha256,
        ):
            written = dict(known.texts)  # of other formats, still good
        for extension, text in texts.items():
            path = self.path(extension)
            path.parent.mkdir(parents=True, exist_ok=True)
            part = path.with_name(path.name + ".part")
            part.write_text(text, encoding="utf-8")
            part.replace(path)
            written[extension] = path.stat().st_mtime_ns
            paths.append(path)
        self._note(Entry(self.ledger.name_of(self.source), self.stem, identity, key, written))
        return paths

    def failed(self, key: str, identity: Identity, error: tuple[str, str]) -> None:
        """Note a failure of the recording itself, for `watch`, which tries it again when the file has changed."""
        self._note(Entry(self.ledger.name_of(self.source), self.stem, identity, key, error=error))

    def _note(self, entry: Entry) -> None:
        self.ledger.record(entry)


class Targets:
    """Gives each recording its names, in the order in which they are asked for."""

    def __init__(self, folder: Path | None, formats: Sequence[str], *, overwrite: bool) -> None:
        self._folder = folder
        self._formats = formats
        self._overwrite = overwrite
        self._ledgers: dict[Path, Ledger] = {}
        self._given: dict[Path, str] = {}

    def of(self, source: Source) -> Target:
        """Two recordings of one name get `talk` and `talk (2)`; each keeps its name in later runs."""
        ledger = self._ledger(self._folder if self._folder is not None else source.path.parent)
        base = (source.below if self._folder is not None else Path()) / source.path.stem
        return self._named(ledger, source.path, base.as_posix())

    def of_link(self, url: str, title: str) -> Target:
        """A link's texts are called by its title, and go to the working folder where there is no -o."""
        return self._named(self._ledger(self._folder or Path()), url, title)

    def known_link(self, url: str) -> Target | None:
        """What an earlier run has called the texts of a link."""
        ledger = self._ledger(self._folder or Path())
        entry = ledger.entry(url)
        return Target(ledger, url, entry.stem, entry.stem) if entry is not None else None

    def before_writing(self, target: Target) -> Target:
        """The same, or with another name where somebody has changed a text of that name since it was written."""
        if self._overwrite or all(self._is_ours(target, extension) for extension in self._formats):
            return target
        self.forget(target)
        return self._new(target)

    def forget(self, target: Target) -> None:
        """The recording is done: the ledger knows its names from now on."""
        self._given.pop(_folded(target), None)

    def _ledger(self, folder: Path) -> Ledger:
        if folder not in self._ledgers:
            self._ledgers[folder] = Ledger(folder)
        return self._ledgers[folder]

    def _named(self, ledger: Ledger, source: Path | str, base: str) -> Target:
        entry = ledger.entry(source)
        if entry is not None:
            return self._give(Target(ledger, source, base, entry.stem))
        return self._new(Target(ledger, source, base, base))

    def _new(self, target: Target) -> Target:
        for number in count(1):
            stem = target.base if number == 1 else f"{target.base} ({number})"
            candidate = replace(target, stem=stem)
            if self._is_free(candidate):
                return self._give(candidate)
        raise AssertionError("there are as many names as there are numbers")

    def _give(self, target: Target) -> Target:
        self._given[_folded(target)] = target.ledger.name_of(target.source)
        return target

    def _is_free(self, target: Target) -> bool:
        name = target.ledger.name_of(target.source)
        holders = (self._given.get(_folded(target)), target.ledger.owner(target.stem))
        if any(holder not in (None, name) for holder in holders):
            return False
        return self._overwrite or not any(target.path(extension).exists() for extension in self._formats)

    def _is_ours(self, target: Target, extension: str) -> bool:
        path, entry = target.path(extension), target.made_before()
        if not path.exists():
            return True
        return (
            entry is not None
            and entry.stem == target.stem
            and entry.texts.get(extension) == path.stat().st_mtime_ns
        )


def _folded(target: Target) -> Path:
    return target.ledger.folder / target.stem.casefold()
