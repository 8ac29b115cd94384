#!/usr/bin/env python3
"""Writes Services/Auth/Passwords/CommonPasswords.swift: the well-known passwords nobody may choose, as a Bloom filter.

    python3 -m venv .local/breach && .local/breach/bin/pip install zxcvbn==4.5.0
    .local/breach/bin/python deploy/breach-list.py

The source is the frequency list of zxcvbn (Dropbox; MIT licence), which was counted over published breaches. Only what
is long enough to be asked about goes in: 8 characters and more. The list itself is not checked in; the filter answers
"is it in there" and is wrong, towards refusing, about once in a thousand.
"""
import base64
import hashlib
import pathlib
import unicodedata

from zxcvbn.frequency_lists import FREQUENCY_LISTS

BITS_EACH, PROBES, SHORTEST = 14, 10, 8


def main():
    listed = sorted({unicodedata.normalize("NFC", word.lower()) for word in FREQUENCY_LISTS["passwords"] if len(word) >= SHORTEST})
    size = (len(listed) * BITS_EACH + 7) // 8
    bits = bytearray(size)
    for word in listed:
        digest = hashlib.sha256(word.encode()).digest()
        first, second = int.from_bytes(digest[:8], "big"), int.from_bytes(digest[8:16], "big") | 1
        for probe in range(PROBES):
            bit = ((first + probe * second) & 0xFFFF_FFFF_FFFF_FFFF) % (size * 8)
            bits[bit >> 3] |= 1 << (bit & 7)
    text = base64.urlsafe_b64encode(bits).decode().rstrip("=")
    lines = [text[at:at + 115] for at in range(0, len(text), 115)]
    path = pathlib.Path(__file__).parent.parent / "Services/Auth/Passwords/CommonPasswords.swift"
    path.write_text(
        "// Written by deploy/breach-list.py; do not edit.\n"
        f"// {len(listed)} passwords of zxcvbn 4.5.0 (Dropbox; MIT licence), which counted them over published breaches.\n\n"
        "/// A Bloom filter over well-known passwords, lower case and NFC.\n"
        "enum CommonPasswords {\n"
        f"    static let probes: UInt64 = {PROBES}\n"
        '    static let filter = """\n' + "".join(f"        {line}\\\n" for line in lines[:-1]) + f"        {lines[-1]}\n" + '        """\n}\n')
    print(f"{len(listed)} passwords, {size} bytes, {len(lines)} lines")


main()
