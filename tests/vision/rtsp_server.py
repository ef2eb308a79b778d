"""A camera that speaks RTSP (RFC 2326) over TCP, for tests: one H.264 stream (RFC 6184, single NAL units), basic authentication."""

from __future__ import annotations

import base64
import contextlib
import re
import socket
import struct
import threading
import time
from types import TracebackType
from typing import Self

import av
import numpy as np

START = re.compile(rb"\x00\x00\x00?\x01")


def encoded(count: int) -> list[list[bytes]]:
    """`count` pictures, each as its NAL units; every tenth can be decoded alone."""
    context = av.CodecContext.create("libx264", "w")
    assert isinstance(context, av.VideoCodecContext)
    context.width, context.height, context.pix_fmt = 64, 48, "yuv420p"
    context.framerate, context.gop_size = 25, 10
    context.options = {"tune": "zerolatency", "preset": "ultrafast", "x264-params": "repeat-headers=1"}
    pictures = []
    for number in range(count):
        frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 40 + number % 150, dtype=np.uint8), format="rgb24")
        frame.pts = number
        pictures.extend([unit for unit in START.split(bytes(packet)) if unit] for packet in context.encode(frame))
    return pictures


class RtspServer:
    """Listens on a free port of this machine. `frames` are sent to each client, then the connection is cut."""

    def __init__(self, frames: int = 60, password: str = "", gap_s: float = 0.01) -> None:
        self.pictures, self.password, self.gap_s = encoded(frames), password, gap_s
        self.connections = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            with client, contextlib.suppress(OSError):
                self._talk(client)

    def _talk(self, client: socket.socket) -> None:
        client.settimeout(5)
        lines = client.makefile("rb")
        while (request := lines.readline()) not in {b"", b"\r\n"}:
            headers = {}
            while (line := lines.readline()).strip():
                name, _, value = line.decode().partition(":")
                headers[name.strip().lower()] = value.strip()
            method = request.decode().split(" ", 1)[0]
            extra, body, status = self._answer(method, headers)
            head = f"RTSP/1.0 {status}\r\nCSeq: {headers.get('cseq', '0')}\r\n{extra}Content-Length: {len(body)}\r\n\r\n"
            client.sendall(head.encode() + body)
            if method == "PLAY":
                self.connections += 1
                self._play(client)
                return

    def _answer(self, method: str, headers: dict[str, str]) -> tuple[str, bytes, str]:
        wanted = "Basic " + base64.b64encode(f"admin:{self.password}".encode()).decode()
        if self.password and method != "OPTIONS" and headers.get("authorization") != wanted:
            return 'WWW-Authenticate: Basic realm="shop"\r\n', b"", "401 Unauthorized"
        if method == "DESCRIBE":
            return "Content-Type: application/sdp\r\n", self._sdp(), "200 OK"
        if method == "SETUP":
            return "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\nSession: 1\r\n", b"", "200 OK"
        return "Session: 1\r\nPublic: OPTIONS, DESCRIBE, SETUP, PLAY\r\n", b"", "200 OK"

    def _sdp(self) -> bytes:
        sets = ",".join(base64.b64encode(unit).decode() for unit in self.pictures[0] if unit[0] & 31 in {7, 8})
        return (
            "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=shop\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=video 0 RTP/AVP 96\r\n"
            f"a=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1;sprop-parameter-sets={sets}\r\na=control:track1\r\n"
        ).encode()

    def _play(self, client: socket.socket) -> None:
        sequence = 0
        for number, units in enumerate(self.pictures):
            for place, unit in enumerate(units):
                marker = 0x80 if place == len(units) - 1 else 0
                packet = struct.pack(">BBHII", 0x80, 96 | marker, sequence & 0xFFFF, number * 3600, 7) + unit
                client.sendall(struct.pack(">cBH", b"$", 0, len(packet)) + packet)
                sequence += 1
            time.sleep(self.gap_s)
