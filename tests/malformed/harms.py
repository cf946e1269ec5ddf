"""Harms to the bytes of a file: bits, cuts, headers, pages, free pages, the WAL."""

from __future__ import annotations

from random import Random

from tests.malformed.sound import PAGE, Files

_KINDS_OF_PAGE = (0, 2, 5, 10, 13, 1, 255)


def flipped_bits(chance: Random, files: Files) -> Files:
    body = bytearray(files[""])
    for _ in range(chance.choice((1, 3, 10, 100))):
        body[chance.randrange(len(body))] ^= 1 << chance.randrange(8)
    return {**files, "": bytes(body)}


def cut(chance: Random, files: Files) -> Files:
    body = files[""]
    at = chance.choice(
        (chance.randrange(len(body)), chance.randrange(0, len(body), PAGE), 100, 16, 512, 0)
    )
    return {**files, "": body[:at]}


def header(chance: Random, files: Files) -> Files:
    """Some fields of the first hundred bytes, with edges preferred."""
    body = bytearray(files[""])
    for _ in range(chance.choice((1, 1, 2, 5))):
        at, size = chance.choice(
            ((16, 2), (18, 1), (19, 1), (20, 1), (21, 3), (24, 4), (28, 4), (32, 4), (36, 4), (40, 4), (44, 4),
             (48, 4), (52, 4), (56, 4), (60, 4), (64, 4), (68, 4), (92, 4), (96, 4), (0, 16))
        )  # fmt: skip
        edges = (0, 1, 2, 3, 5, 2**31 - 1, 2**31, 2**32 - 1, chance.getrandbits(32))
        body[at : at + size] = (chance.choice(edges) % 2 ** (8 * size)).to_bytes(size, "big")
    return {**files, "": bytes(body)}


def encoding(chance: Random, files: Files) -> Files:
    """The header promises another encoding than the texts have."""
    body = bytearray(files[""])
    body[56:60] = chance.choice((1, 2, 3, 4, 0, 255)).to_bytes(4, "big")
    return {**files, "": bytes(body)}


def page(chance: Random, files: Files) -> Files:
    """The head of a page: its kind, its cells, where they begin; or a page for another."""
    body = bytearray(files[""])
    for _ in range(chance.choice((1, 1, 3))):
        number = chance.randrange(len(body) // PAGE)
        start = number * PAGE + (100 if number == 0 else 0)
        match chance.randrange(5):
            case 0:
                body[start] = chance.choice(_KINDS_OF_PAGE)
            case 1:
                body[start + 3 : start + 5] = chance.randbytes(2)
            case 2:
                body[start + 1 : start + 3] = chance.randbytes(2)
            case 3:
                body[start + 8 : start + 12] = chance.randbytes(4)
            case _:
                other = chance.randrange(1, len(body) // PAGE) * PAGE
                body[number * PAGE + start % PAGE : (number + 1) * PAGE] = body[
                    other + start % PAGE : other + PAGE
                ]
    return {**files, "": bytes(body)}


def free_pages(chance: Random, files: Files) -> Files:
    """The list of free pages: its head, its count, its links."""
    body = bytearray(files[""])
    pages = len(body) // PAGE
    trunk = int.from_bytes(body[32:36], "big")
    target = chance.choice((trunk, 1, 2, pages, pages + 7, chance.randrange(pages)))
    match chance.randrange(3):
        case 0:
            body[32:36] = target.to_bytes(4, "big")
        case 1:
            body[36:40] = chance.choice((0, 1, pages, 2**31)).to_bytes(4, "big")
        case _ if 0 < trunk <= pages:
            at = (trunk - 1) * PAGE + 4 * chance.randrange(6)
            body[at : at + 4] = target.to_bytes(4, "big")
    return {**files, "": bytes(body)}


def cells(chance: Random, files: Files) -> Files:
    """The bytes of rows: lengths, types, texts."""
    body = bytearray(files[""])
    for _ in range(chance.choice((1, 4, 20))):
        at = chance.randrange(PAGE, len(body) - 8)
        body[at : at + 4] = chance.choice(
            (b"\xff\xff\xff\xff", b"\x80\x80\x80\x80", chance.randbytes(4), bytes(4))
        )
    return {**files, "": bytes(body)}


def wal(chance: Random, files: Files) -> Files:
    """A WAL that was cut, damaged, put beside another file, or is none."""
    log = bytearray(files.get("-wal", b""))
    if len(log) < 64:
        return {
            **files,
            "-wal": chance.choice((b"", chance.randbytes(5000), b"\x37\x7f\x06\x82" + bytes(60))),
        }
    match chance.randrange(5):
        case 0:
            log = log[: chance.randrange(len(log))]
        case 1:
            log[chance.randrange(32)] ^= 1 << chance.randrange(8)
        case 2:
            for _ in range(5):
                log[chance.randrange(len(log))] ^= 1 << chance.randrange(8)
        case 3:
            frame = 32 + (PAGE + 24) * chance.randrange((len(log) - 32) // (PAGE + 24))
            log[frame : frame + 8] = chance.randbytes(8)
        case _:
            return {**files, "": files[""][: chance.randrange(len(files[""]))]}
    return {**files, "-wal": bytes(log)}


def journal(chance: Random, files: Files) -> Files:
    """A rollback journal beside it that nobody finished, or that is none."""
    magic = b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7"
    left = magic + chance.randbytes(20) + bytes(484) + chance.randbytes(4 + PAGE + 4)
    return {**files, "-journal": chance.choice((left, chance.randbytes(600), b"", magic))}
