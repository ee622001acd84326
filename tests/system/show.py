#!/usr/bin/python3
"""make run: Firefox on a page of its own, confined. On the display there is, else under Xvfb with a screenshot."""

from __future__ import annotations

import contextlib
import os
import pathlib
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from account import Account  # noqa: E402
from desktop import display  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / os.environ.get("BUILD", "build")
PAGE = """<!doctype html><meta charset=utf-8><title>Hello from sbox</title>
<body style="background:#2a6b4f;color:white;font:32px sans-serif;padding:2em">
<h1>This browser is confined.</h1>
<p id=p></p><script>p.textContent = "Script runs; the page is a file named on the command line.";</script>
"""


def on_own_display() -> int:
    page = pathlib.Path("/tmp") / f"sbox-page-{os.getpid()}.html"
    page.write_text(PAGE)
    try:
        print(f"sbox firefox {page}")
        return subprocess.run([BUILD / "bin/sbox", "firefox", page], check=False).returncode
    finally:
        page.unlink()


def under_xvfb() -> int:
    """As root an ordinary user's account is used: nobody runs a browser as root."""
    shot = BUILD / "artefacts" / "firefox.png"
    shot.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as stack:
        account = stack.enter_context(contextlib.closing(Account()))
        screen = stack.enter_context(display(account))
        page = account.file(account.home / "page.html", PAGE)
        print("no display here: running `sbox firefox page.html` under Xvfb")
        browser = account.start([str(BUILD / "bin/sbox"), "firefox", str(page)], screen.env)
        stack.callback(account.end, browser)
        screen.wait_for_window("Hello from sbox", 90)
        screen.wait_for_colour((0x2A, 0x6B, 0x4F), 100_000, 60)
        screen.save(shot)
        print(f"the page is on the screen; screenshot: {shot}")
    return 0


if __name__ == "__main__":
    own = any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY")) and os.getuid() != 0
    sys.exit(on_own_display() if own else under_xvfb())
