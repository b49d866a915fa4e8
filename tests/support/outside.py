"""Hosts for sandboxes to reach: real HTTP servers on loopback, and a way out to reach them by."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import hashlib
import json
import socket
import threading
import time
import zlib
from collections.abc import AsyncIterator, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from workbench.sandbox.egress import Egress
from workbench.sandbox.egress.authority import Authority


class _Handler(BaseHTTPRequestHandler):
    """`/echo` says what came; the others answer in ways that have gone wrong in proxies before."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Origin

    def log_message(self, *arguments: object) -> None:
        pass

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        self.server.seen.append((self.command, self.path, {k.lower(): v for k, v in self.headers.items()}))
        answer = getattr(self, "answer_" + path.strip("/").split("/")[0].replace("-", "_"), self.answer_echo)
        answer()

    do_POST = do_PUT = do_DELETE = do_HEAD = do_OPTIONS = do_TRACE = do_GET

    def body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") == "chunked":
            parts = []
            while size := int(self.rfile.readline(), 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(parts)
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def say(self, body: bytes, status: int = 200, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def chunk(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()

    def start_chunks(self, **headers: str) -> None:
        self.send_response(200)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    @property
    def credential(self) -> bytes:
        return (self.headers.get("Authorization") or self.headers.get("X-Api-Key") or self.path).encode()

    def answer_echo(self) -> None:
        body = self.body()
        said = {
            "method": self.command,
            "path": self.path,
            "headers": dict(self.headers.items()),
            "body": hashlib.sha256(body).hexdigest() if len(body) > 10_000 else body.decode("latin-1"),
            "length": len(body),
        }
        self.say(json.dumps(said).encode(), X_Echo=self.headers.get("Authorization", "none"))

    def answer_redirect(self) -> None:
        query = parse_qs(urlsplit(self.path).query)
        self.say(b"", 302, Location=query["to"][0])

    def answer_one_byte_chunks(self) -> None:
        self.start_chunks()
        for byte in b"<" + self.credential + b">":
            self.chunk(bytes([byte]))
        self.wfile.write(b"0\r\nX-Trailer: " + self.credential + b"\r\n\r\n")

    def answer_gzip(self) -> None:
        """Compressed whatever was asked for."""
        packed = gzip.compress(b"<" + self.credential + b">" + b"x" * 200_000)
        self.say(packed, Content_Encoding="gzip")

    def answer_deflate(self) -> None:
        self.say(zlib.compress(b"<" + self.credential + b">")[2:-4], Content_Encoding="deflate")

    def answer_brotli(self) -> None:
        self.say(b"\x8b\x03\x80" + b"x" * 20, Content_Encoding="br")

    def answer_ranges(self) -> None:
        whole = b"<" + self.credential + b">"
        if wanted := self.headers.get("Range"):
            first, last = wanted.removeprefix("bytes=").split("-")
            self.say(whole[int(first) : int(last) + 1], 206)
        else:
            self.say(whole)

    def answer_big(self) -> None:
        size = int(urlsplit(self.path).path.split("/")[2])
        self.send_response(200)
        self.send_header("Content-Length", str(size))
        self.end_headers()
        piece = b"0123456789abcdef" * 4096
        with contextlib.suppress(OSError):
            while size > 0:
                self.wfile.write(piece[:size])
                self.server.written += min(size, len(piece))
                size -= len(piece)

    def answer_silent_end(self) -> None:
        self.say(b"bye")
        self.close_connection = True

    def answer_until_closed(self) -> None:
        self.send_response(200)
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(b"all of it")
        self.close_connection = True

    def answer_cut(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        self.wfile.write(b"a part")
        self.close_connection = True

    def answer_events(self) -> None:
        self.start_chunks(Content_Type="text/event-stream")
        self.chunk(b"data: 1\n\n")
        self.server.release.wait(20)
        self.chunk(b"data: 2\n\n")
        self.wfile.write(b"0\r\n\r\n")

    def answer_hang(self) -> None:
        self.server.release.wait(20)
        with contextlib.suppress(OSError):
            self.say(b"late")

    def answer_early(self) -> None:
        """An answer before the body has been read."""
        self.say(b"too large", 413, Connection="close")
        self.close_connection = True
        time.sleep(0.05)

    def answer_websocket(self) -> None:
        """Accepts, says what it was sent as credentials, then echoes raw bytes."""
        key = self.headers["Sec-WebSocket-Key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        import base64

        accept = base64.b64encode(hashlib.sha1(key.encode()).digest()).decode()
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.send_header("Sec-WebSocket-Accept", accept)
        self.end_headers()
        text = self.credential
        self.wfile.write(bytes([0x81, len(text)]) + text)
        self.wfile.flush()
        with contextlib.suppress(OSError):
            while data := self.connection.recv(65536):
                self.wfile.write(data)
                self.wfile.flush()
        self.close_connection = True


class Origin(ThreadingHTTPServer):
    """A server on 127.0.0.1. seen: (method, target, headers) of every request. written: bytes of /big given away so far."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, authority: Authority | None = None, name: str = "localhost") -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.seen: list[tuple[str, str, dict[str, str]]] = []
        self.written = 0
        self.release = threading.Event()
        self.port = self.server_address[1]
        if authority is not None:
            # The handshake in the thread of the connection, not in the one that accepts.
            self.socket = authority.context(name).wrap_socket(
                self.socket, server_side=True, do_handshake_on_connect=False
            )
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass

    def close(self) -> None:
        self.release.set()
        self.shutdown()
        self.server_close()


@contextlib.contextmanager
def origin(authority: Authority | None = None, name: str = "localhost") -> Iterator[Origin]:
    """A server for a test."""
    running = Origin(authority, name)
    try:
        yield running
    finally:
        running.close()


@contextlib.asynccontextmanager
async def relay(path: Path) -> AsyncIterator[int]:
    """What the init does inside: a TCP port on loopback that goes on to the socket at `path`."""

    async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        with contextlib.suppress(OSError, RuntimeError):
            writer.write_eof()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            inner_reader, inner_writer = await asyncio.open_unix_connection(path)
        except OSError:
            writer.close()
            return
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(copy(reader, inner_writer), copy(inner_reader, writer))
        inner_writer.close()
        writer.close()

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


def names_on_loopback(monkeypatch: pytest.MonkeyPatch, **names: list[str] | str) -> None:
    """Make the resolver answer for names that do not exist; a list is answered one after the other, the last one again and again."""
    real = asyncio.base_events.BaseEventLoop.getaddrinfo
    left = {
        name.replace("_", "."): list(value) if isinstance(value, list) else [value]
        for name, value in names.items()
    }

    async def getaddrinfo(loop: Any, host: Any, port: Any, **options: Any) -> Any:
        if host not in left:
            return await real(loop, host, port, **options)
        answers = left[host]
        address = answers.pop(0) if len(answers) > 1 else answers[0]
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        return [(family, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(asyncio.base_events.BaseEventLoop, "getaddrinfo", getaddrinfo)


async def secret_of(egress: Egress, value: str, name: str = "TOKEN") -> str:
    """Give the hub a secret; its name."""
    await egress.secrets.put(name, value)
    return name
