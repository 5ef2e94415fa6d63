"""The key that pseudonyms are made with: read from a private file or the environment, never shown again."""

from __future__ import annotations

import base64
import binascii
import hmac
import os
import re
import secrets
import stat
from pathlib import Path

from casefinding.errors import UsageError
from casefinding.files import writing

LEAST = 32
"""Bytes of the shortest key: 256 bits, the length of the digest that it keys (RFC 2104, RFC 4868)."""
MOST = 4096
"""Bytes of the longest file that can be a key."""
DIFFERENT = 10
"""Bytes that differ from each other in a key; 32 random ones have fewer once in 10^17 keys."""
HINT = "make one: casefinding pseudonymise --make-key FILE"


class Key:
    """A key; nothing that prints, logs or compares it shows more than its fingerprint."""

    __slots__ = ("_secret", "form")

    def __init__(self, secret: bytes, form: str) -> None:
        self._secret = secret
        self.form = form

    def __repr__(self) -> str:
        return f"Key({self.fingerprint})"

    def __reduce__(self):
        raise TypeError("a key is not written down")

    @property
    def size(self) -> int:
        """Bytes of the key."""
        return len(self._secret)

    @property
    def fingerprint(self) -> str:
        """8 hex digits by which two sites can tell whether they used the same key; nothing follows from them."""
        return self.digest("casefinding key")[:8]

    def digest(self, text: str) -> str:
        """HMAC-SHA-256 of a text (UTF-8) as 64 hex digits. Source of the method: RFC 2104, FIPS 198-1."""
        return hmac.digest(self._secret, text.encode("utf-8"), "sha256").hex()


def read_key(file: Path | None, variable: str | None) -> Key:
    """The key of a private file, or of an environment variable; exactly one of the two is named.

    Raises UsageError for none or both, a file that others may read, and a key that is short or not random.
    """
    if (file is None) == (variable is None):
        raise UsageError("which key?", where="--key-file", hint=f"name either --key-file or --key-env; {HINT}")
    if file is not None:
        return _key(read_private(file, "the key"), str(file))
    # The name is not repeated: somebody may have typed the key itself.
    content = os.environ.get(variable or "")
    if content is None:
        raise UsageError("the environment variable of the key is not set", where="--key-env", hint="set and export it")
    return _key(os.fsencode(content), "--key-env")


def read_private(file: Path, what: str) -> bytes:
    """The bytes of a file that nobody but its owner may read or change; UsageError if others may, or it is too long."""
    try:
        handle = os.open(file, os.O_RDONLY)
    except OSError as problem:
        reason = os.strerror(problem.errno or 0).lower()
        raise UsageError(f"{what} cannot be read: {reason}", where=str(file)) from None
    with os.fdopen(handle, "rb") as opened:
        about = os.fstat(opened.fileno())
        if not stat.S_ISREG(about.st_mode):
            raise UsageError(f"{what} is not a file", where=str(file), hint="name a file that holds nothing else")
        if os.name == "posix" and about.st_mode & 0o077:
            raise UsageError(
                f"{what} can be read by others (mode {about.st_mode & 0o777:o})",
                where=str(file),
                hint=f"chmod 600 {file.name}; if others have read it, make a new one",
            )
        content = opened.read(MOST + 1)
    if len(content) > MOST:
        raise UsageError(f"{what} is longer than {MOST} bytes", where=str(file), hint="is this the right file?")
    return content


def make_key(file: Path) -> Key:
    """Write a new random key of 32 bytes, as 64 hex digits, into a new file of mode 600; UsageError if it exists."""
    secret = secrets.token_bytes(LEAST)
    with writing():
        file.parent.mkdir(parents=True, exist_ok=True)
        try:
            handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            raise UsageError(
                "there is a file of that name already, and a key is never written over",
                where=str(file),
                hint="without its key no pseudonym can be made again: choose another name",
            ) from None
        try:
            with os.fdopen(handle, "wb") as opened:
                opened.write(secret.hex().encode("ascii") + b"\n")
                opened.flush()
                os.fsync(opened.fileno())
        except BaseException:
            file.unlink(missing_ok=True)
            raise
    return Key(secret, "hex")


def _key(content: bytes, where: str) -> Key:
    secret, form = _decoded(content)
    if len(secret) < LEAST:
        read_as = "" if form == "bytes" else f", read as {form}"
        raise UsageError(f"the key is too short: {len(secret)} bytes{read_as}, {LEAST} needed", where=where, hint=HINT)
    if len(set(secret)) < DIFFERENT:
        raise UsageError("the key is not random", where=where, hint=HINT)
    return Key(secret, form)


def _decoded(content: bytes) -> tuple[bytes, str]:
    """The bytes that a text stands for: hex, base64, or the text itself without the end of its line."""
    try:
        text = content.decode("ascii").strip()
    except UnicodeDecodeError:
        return content, "bytes"
    if re.fullmatch(r"(?:[0-9a-fA-F]{2})+", text):
        return bytes.fromhex(text), "hex"
    if len(text) % 4 == 0 and re.fullmatch(r"[A-Za-z0-9+/_-]+={0,2}", text):
        try:
            return base64.b64decode(text.replace("-", "+").replace("_", "/"), validate=True), "base64"
        except binascii.Error:
            pass
    return (text.encode("ascii"), "bytes") if text.isprintable() else (content, "bytes")
