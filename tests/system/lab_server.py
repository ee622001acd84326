"""Servers of a network that tests make: started in one of its namespaces with lines "tcp ADDRESS PORT", "udp ADDRESS PORT",
"http ADDRESS PORT", "abstract NAME" and "dns ADDRESS FILE" on standard input. Says "ready", then a line for each visit. Everyone is told who he
is and where he has come; FILE has lines "NAME SECONDS ADDRESS...", and is read anew for each question.
"""

from __future__ import annotations

import contextlib
import pathlib
import selectors
import socket
import struct
import sys

PORT = 53
REFUSED, NO_SUCH_NAME = 5, 3


def say(line: str) -> None:
    print(line, flush=True)


def bound(address: str, port: int, kind: int) -> socket.socket:
    server = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, kind)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if server.family == socket.AF_INET6:
        server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    server.bind((address, port))
    if kind == socket.SOCK_STREAM:
        server.listen(64)
    return server


def question_of(message: bytes) -> tuple[str, int, int]:
    """The name, the type, and where they end."""
    labels, at = [], 12
    while message[at]:
        labels.append(message[at + 1 : at + 1 + message[at]].decode())
        at += 1 + message[at]
    return ".".join(labels).lower(), struct.unpack(">H", message[at + 1 : at + 3])[0], at + 5


def answer(query: bytes, table: pathlib.Path) -> bytes:
    name, kind, end = question_of(query)
    family, size = (socket.AF_INET6, 16) if kind == 28 else (socket.AF_INET, 4)
    found, records = False, b""
    count = 0
    for line in table.read_text().splitlines():
        known, seconds, *addresses = line.split()
        if known != name:
            continue
        found = True
        for address in addresses:
            if (":" in address) == (kind == 28) and kind in (1, 28):
                records += struct.pack(">HHHIH", 0xC00C, kind, 1, int(seconds), size) + socket.inet_pton(family, address)
                count += 1
    flags = 0x8180 if found else 0x8180 | NO_SUCH_NAME
    return query[:2] + struct.pack(">HHHHH", flags, 1, count, 0, 0) + query[12:end] + records


def serve_stream(server: socket.socket, name: str) -> None:
    client, peer = server.accept()
    with client, contextlib.suppress(OSError):  # who has gone already was here all the same
        say(name)
        client.sendall(f"{name} {peer[0] if peer else ''}\n".encode())


def serve_page(server: socket.socket, name: str) -> None:
    client, _ = server.accept()
    with client, contextlib.suppress(OSError):
        client.settimeout(5)
        asked = b""
        while not asked.endswith(b"\r\n\r\n") and (more := client.recv(65536)):
            asked += more
        say(name)
        page = f"{name}\n".encode()
        client.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(page), page))


def serve_datagram(server: socket.socket, name: str) -> None:
    message, peer = server.recvfrom(65536)
    say(name)
    server.sendto(f"{name} {peer[0]}\n".encode(), peer)


def serve_names(server: socket.socket, name: str, table: pathlib.Path) -> None:
    if server.type == socket.SOCK_DGRAM:
        query, peer = server.recvfrom(65536)
        say(f"{name} {question_of(query)[0]}")
        server.sendto(answer(query, table), peer)
        return
    client, _ = server.accept()
    with client:
        client.settimeout(5)
        query = client.recv(65536)
        if len(query) > 2:
            reply = answer(query[2:], table)
            say(f"{name} {question_of(query[2:])[0]} by stream")
            client.sendall(struct.pack(">H", len(reply)) + reply)


def main() -> None:
    selector = selectors.DefaultSelector()
    for line in sys.stdin.read().splitlines():
        kind, place, *rest = line.split()
        if kind == "dns":
            for way in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
                table = pathlib.Path(rest[0])
                server = bound(place, PORT, way)
                selector.register(server, selectors.EVENT_READ, lambda s, n=f"dns {place}", t=table: serve_names(s, n, t))
        elif kind == "abstract":
            server = socket.socket(socket.AF_UNIX)
            server.bind("\0" + place)
            server.listen(64)
            selector.register(server, selectors.EVENT_READ, lambda s, n=line: serve_stream(s, n))
        else:
            kinds = {"tcp": serve_stream, "http": serve_page, "udp": serve_datagram}
            way, serve = socket.SOCK_DGRAM if kind == "udp" else socket.SOCK_STREAM, kinds[kind]
            server = bound(place, int(rest[0]), way)
            selector.register(server, selectors.EVENT_READ, lambda s, n=line, f=serve: f(s, n))
    say("ready")
    while True:
        for key, _ in selector.select():
            key.data(key.fileobj)


main()
