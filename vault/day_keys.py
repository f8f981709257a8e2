"""Keys of the day, each in a file of its own: what was sealed under one is gone for good once the file is destroyed.

That holds wherever copies of what was sealed may lie: in the dead rows of a database, in its logs, in backups. So the folder must never be
in a backup or a snapshot that is kept; a mirror, in which a destroyed file disappears too, is what protects against the loss of the disk.
A key's name is its day and an id, so that folders in which several machines make keys can be merged. Days are UTC on purpose: all machines
of all places then mean the same one.
"""

from __future__ import annotations

import os
import re
import secrets
import stat
from collections.abc import Collection, Iterator
from contextlib import suppress
from datetime import date, timedelta
from pathlib import Path

NAME_LENGTH = 19
_NAME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\.[0-9a-f]{8}", re.ASCII)
_END = ".key"
_KEY_BYTES = 32


class FolderError(OSError):
    """The folder of keys cannot be used; the message says what to do."""


class DayKeys:
    """The keys in a folder that belongs to this process's user alone.

    Args:
        folder: where they are; `check` tells whether it can be used.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def check(self) -> None:
        """See that the folder is there and nobody else can read it.

        Raises:
            FolderError: it is not so.
        """
        try:
            found = self.folder.stat()
        except OSError as error:
            raise FolderError(f"{self.folder} cannot be used ({error.strerror}); make it: install -d -m 0700 {self.folder}") from None
        if not stat.S_ISDIR(found.st_mode):
            raise FolderError(f"{self.folder} is no folder; name one that belongs to this user alone.")
        if found.st_uid != os.geteuid() or found.st_mode & 0o077:
            raise FolderError(f"{self.folder} must belong to this user alone: chown it to the user that runs this, and chmod 0700.")
        for file in self.folder.glob(f"*{_END}"):
            if file.stat().st_mode & 0o077:
                raise FolderError(f"{file} can be read by others; chmod 0400 it, and treat what it sealed as read.")

    def of(self, day: date) -> tuple[str, bytes]:
        """The name and the 32 bytes of a day's key, which is made where there is none.

        Raises:
            FolderError: the folder cannot be read or written.
        """
        try:
            name = min((each for each in self.names() if _day(each) == day), default="") or self._make(day)
            return name, self._read(name)
        except OSError as error:
            raise FolderError(f"{self.folder} cannot be used ({error.strerror}).") from None

    def get(self, name: str) -> bytes | None:
        """A key by its name; None when it is not there, because it was destroyed for example."""
        if not _NAME.fullmatch(name):
            return None
        try:
            return self._read(name)
        except OSError:
            return None

    def make_ahead(self, first: date, days: int) -> None:
        """See that so many days have a key, so that a mirror has each long before it is used."""
        for day in range(days):
            self.of(first + timedelta(days=day))

    def names(self) -> Iterator[str]:
        """The names of all keys."""
        files = self.folder.iterdir() if self.folder.exists() else ()
        yield from (file.stem for file in files if file.suffix == _END and _NAME.fullmatch(file.stem))

    def due(self, before: date, needed: Collection[str] = ()) -> list[str]:
        """The keys of days before this one, except those that are needed still."""
        return sorted(name for name in self.names() if _day(name) < before and name not in needed)

    def destroy(self, names: Collection[str]) -> None:
        """Overwrite and delete keys. The medium may keep an old copy of what was overwritten, as flash memory does."""
        for file in map(self._file, names):
            with suppress(FileNotFoundError):  # another process destroyed it
                file.chmod(0o600)
                with file.open("r+b") as old:
                    old.write(secrets.token_bytes(_KEY_BYTES))
                    os.fsync(old.fileno())
                file.unlink()
        if names:
            self._sync()

    def _make(self, day: date) -> str:
        """Write a key so that nobody ever sees half of it."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        name = _new_name(day)
        part = self.folder / f"{name}.part"
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400)
        try:
            with os.fdopen(descriptor, "wb") as new:
                new.write(secrets.token_bytes(_KEY_BYTES))
                new.flush()
                os.fsync(new.fileno())
            part.rename(self._file(name))
        finally:
            part.unlink(missing_ok=True)
        self._sync()
        return name

    def _read(self, name: str) -> bytes:
        return self._file(name).read_bytes()

    def _file(self, name: str) -> Path:
        return self.folder / f"{name}{_END}"

    def _sync(self) -> None:
        folder = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


class PassingDayKeys(DayKeys):
    """Keys of days that end with this process: they stand in its memory alone."""

    def __init__(self) -> None:
        super().__init__(Path())
        self._keys: dict[str, bytes] = {}

    def check(self) -> None:
        """There is no folder that could be wrong."""

    def get(self, name: str) -> bytes | None:
        """A key by its name, if this process made it and did not destroy it."""
        return self._keys.get(name)

    def _read(self, name: str) -> bytes:
        return self._keys[name]

    def names(self) -> Iterator[str]:
        """The names of all keys."""
        yield from tuple(self._keys)

    def destroy(self, names: Collection[str]) -> None:
        """Forget keys."""
        for name in names:
            self._keys.pop(name, None)

    def _make(self, day: date) -> str:
        name = _new_name(day)
        self._keys[name] = secrets.token_bytes(_KEY_BYTES)
        return name


def _new_name(day: date) -> str:
    return f"{day.isoformat()}.{secrets.token_hex(4)}"


def _day(name: str) -> date:
    return date.fromisoformat(name[:10])
