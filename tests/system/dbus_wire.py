"""A D-Bus client of a few lines without any library: its source also runs inside of a sandbox, by python3 -c.

It can say things that no library would: messages that quote replies, several at once, before the greeting is over.
"""

import os
import socket
import struct

CALL, RETURN, ERROR, SIGNAL = 1, 2, 3, 4
PATH, INTERFACE, MEMBER, ERROR_NAME, REPLY_SERIAL, DESTINATION, SENDER, SIGNATURE = range(1, 9)
TYPES = {PATH: "o", REPLY_SERIAL: "u", SIGNATURE: "g"}  # all others are strings
BUS = "org.freedesktop.DBus"


class Packer:
    def __init__(self):
        self.data = b""

    def align(self, size):
        self.data += b"\0" * (-len(self.data) % size)

    def number(self, value):
        self.align(4)
        self.data += struct.pack("<I", value)

    def text(self, value):
        self.number(len(value.encode()))
        self.data += value.encode() + b"\0"

    def value(self, kind, value):
        """Of the kinds s, u, as and a{ss}."""
        if kind == "u":
            return self.number(value)
        if kind == "s":
            return self.text(value)
        inner = Packer()
        inner.data = self.data + b"\0" * (-len(self.data) % 4 + 4)
        if kind == "a{ss}":
            inner.align(8)
        start = len(inner.data)
        for each in value.items() if kind == "a{ss}" else value:
            if kind == "a{ss}":
                inner.align(8)
            for part in each if kind == "a{ss}" else [each]:
                inner.text(part)
        self.number(len(inner.data) - start)
        self.data += inner.data[len(self.data) :]


def message(kind, serial, fields, *body):
    """A whole message; `body` is any number of (kind, value)."""
    content = Packer()
    for each in body:
        content.value(*each)
    if body:
        fields = {**fields, SIGNATURE: "".join(each[0] for each in body)}
    head = Packer()
    head.data = struct.pack("<4BIII", ord("l"), kind, 0, 1, len(content.data), serial, 0)
    for code, value in fields.items():
        head.align(8)
        head.data += struct.pack("<B", code)
        kind_of_field = TYPES.get(code, "s")
        head.data += b"\1" + kind_of_field.encode() + b"\0"
        if kind_of_field == "u":
            head.number(value)
        elif kind_of_field == "g":
            head.data += struct.pack("<B", len(value)) + value.encode() + b"\0"
        else:
            head.text(value)
    size = len(head.data) - 16
    head.align(8)
    return head.data[:12] + struct.pack("<I", size) + head.data[16:] + content.data


def header(data):
    """Kind, serial and fields of a message."""
    kind, serial, size = data[1], struct.unpack_from("<I", data, 8)[0], struct.unpack_from("<I", data, 12)[0]
    fields, at = {}, 16
    while at < 16 + size:
        at += -at % 8
        code, type_of = data[at], chr(data[at + 2])
        at += 4
        if type_of == "g":
            fields[code] = data[at + 1 : at + 1 + data[at]].decode()
            at += data[at] + 2
            continue
        at += -at % 4
        number = struct.unpack_from("<I", data, at)[0]
        at += 4
        fields[code] = number
        if type_of != "u":
            fields[code] = data[at : at + number].decode()
            at += number + 1
    return kind, serial, fields


class Wire:
    """A connection to the bus at `path`."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(10)
        self.socket.connect(path)
        self.serial, self.buffer = 0, b""
        self.socket.sendall(b"\0AUTH EXTERNAL " + str(os.getuid()).encode().hex().encode() + b"\r\n")
        while b"\r\n" not in self.buffer:
            self.more()
        if not self.buffer.startswith(b"OK"):
            raise OSError(self.buffer)
        self.buffer = b""
        self.socket.sendall(b"BEGIN\r\n")
        self.own = self.ask(BUS, "/org/freedesktop/DBus", BUS, "Hello")[1]

    def more(self):
        data = self.socket.recv(65536)
        if not data:
            raise EOFError
        self.buffer += data

    def receive(self):
        """The next message, whole."""
        while True:
            if len(self.buffer) >= 16:
                body, _, fields = struct.unpack_from("<III", self.buffer, 4)
                size = 16 + fields + -fields % 8 + body
                if len(self.buffer) >= size:
                    data, self.buffer = self.buffer[:size], self.buffer[size:]
                    return data
            self.more()

    def send(self, kind, fields, *body):
        self.serial += 1
        self.socket.sendall(message(kind, self.serial, fields, *body))
        return self.serial

    def ask(self, name, path, interface, member, *body):
        """A call; its answer as (name of the error or "", the text that it begins with), and all that came before it."""
        fields = {DESTINATION: name, PATH: path, INTERFACE: interface, MEMBER: member}
        serial = self.send(CALL, {field: value for field, value in fields.items() if value}, *body)
        self.heard = []
        while True:
            data = self.receive()
            kind, _, fields = header(data)
            if kind in (RETURN, ERROR) and fields.get(REPLY_SERIAL) == serial:
                return fields.get(ERROR_NAME, ""), first_text(data, fields)
            self.heard.append(data)


def first_text(data, fields):
    body = data[len(data) - struct.unpack_from("<I", data, 4)[0] :]
    if not fields.get(SIGNATURE, "").startswith("s"):
        return repr(body)
    return body[4 : 4 + struct.unpack_from("<I", body)[0]].decode()
