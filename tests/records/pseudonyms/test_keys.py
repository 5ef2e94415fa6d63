"""The key: long, random, private, and never shown."""

import base64
import hashlib
import hmac
import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest_of_pseudonyms import KEY, NUMBERS, private

from casefinding.errors import UsageError
from casefinding.records.pseudonyms import digests
from casefinding.records.pseudonyms.keys import Key, make_key, read_key


def test_linkage_digests_are_those_of_openpseudonymiser():
    assert digests.for_linkage("123456789", "").startswith("15e2b0d3c338")
    assert digests.for_linkage("123456789", "").endswith("b225")
    assert digests.for_linkage("123456789", "hello").startswith("a4455e6581b7")
    assert digests.for_linkage("123456789", "hello").endswith("edfe")


def test_a_pseudonym_is_p_and_the_hmac_of_the_ten_digits(tmp_path):
    key = read_key(private(tmp_path / "key", KEY.hex()), None)
    expected = hmac.new(KEY, NUMBERS[0].encode(), hashlib.sha256).hexdigest()
    assert digests.of_number(key, NUMBERS[0]) == "p" + expected[:32]
    assert key.fingerprint == hmac.new(KEY, b"casefinding key", hashlib.sha256).hexdigest()[:8]


def test_the_digest_is_that_of_rfc_4231():
    said = Key(b"Jefe", "bytes").digest("what do ya want for nothing?")
    assert said == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"


@pytest.mark.parametrize(
    ("content", "form"),
    [
        (KEY.hex().encode() + b"\n", "hex"),
        (base64.b64encode(KEY) + b"\r\n", "base64"),
        (base64.urlsafe_b64encode(bytes(range(200, 240))), "base64"),
        (bytes(range(100, 150)) + b"\xff", "bytes"),
    ],
)
def test_hex_base64_and_bytes_are_read_and_it_is_said_which(tmp_path, content, form):
    path = tmp_path / "key"
    path.write_bytes(content)
    path.chmod(0o600)
    assert read_key(path, None).form == form


@pytest.mark.parametrize("content", [b"", b"secret", KEY[:31].hex().encode(), base64.b64encode(KEY[:30]), b"\x07" * 64])
def test_short_and_plain_keys_are_refused_and_not_repeated(tmp_path, content):
    path = tmp_path / "key"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(UsageError) as caught:
        read_key(path, None)
    assert not content or content.decode("latin-1") not in str(caught.value)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o777])
def test_a_key_that_others_may_read_is_refused_with_a_hint(tmp_path, mode):
    path = private(tmp_path / "key", KEY.hex())
    path.chmod(mode)
    with pytest.raises(UsageError, match="read by others") as caught:
        read_key(path, None)
    assert "chmod 600" in str(caught.value)


def test_a_key_may_stand_in_the_environment(monkeypatch):
    monkeypatch.setenv("PRACTICE_KEY", KEY.hex())
    assert read_key(None, "PRACTICE_KEY").size == 32
    with pytest.raises(UsageError) as caught:
        read_key(None, KEY.hex())  # the key itself, in place of the name
    assert KEY.hex() not in str(caught.value)


def test_exactly_one_key_is_named(tmp_path):
    with pytest.raises(UsageError, match="which key"):
        read_key(None, None)
    with pytest.raises(UsageError, match="which key"):
        read_key(tmp_path / "key", "NAME")


def test_a_new_key_is_random_private_and_never_written_over(tmp_path):
    first, second = tmp_path / "a", tmp_path / "b"
    assert make_key(first).fingerprint != make_key(second).fingerprint
    assert first.stat().st_mode & 0o777 == 0o600
    assert read_key(first, None).size == 32
    before = first.read_bytes()
    with pytest.raises(UsageError, match="never written over"):
        make_key(first)
    assert first.read_bytes() == before


def test_the_key_is_in_nothing_that_prints(tmp_path):
    key = read_key(private(tmp_path / "key", KEY.hex()), None)
    for shown in (repr(key), str(key), f"{key}", repr([key])):
        assert KEY.hex() not in shown
        assert str(KEY) not in shown
    with pytest.raises(TypeError):
        __import__("pickle").dumps(key)


def test_the_command_makes_a_key(tmp_path):
    path = tmp_path / "new"
    said = subprocess.run(
        [sys.executable, "-m", "casefinding", "pseudonymise", "--make-key", path],
        capture_output=True, text=True, check=True, cwd=Path(__file__).parents[3], env=dict(os.environ),
    )  # fmt: skip
    assert path.read_text().strip() not in said.stdout + said.stderr
    assert "fingerprint" in said.stdout
