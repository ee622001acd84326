#!/usr/bin/python3
"""Shows sbox at work: Firefox in its sandbox shows a page, and a shell of the same profile tells what it can see.

On the caller's display where there is one, else on one of its own; then the picture is in build/artefacts/run.png.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys

sys.dont_write_bytecode = True

from account import ARTEFACTS, SBOX, Account  # noqa: E402
from desktop import display, session_bus, web_server  # noqa: E402
from harness import wait_for  # noqa: E402

PAGE = """<!doctype html><title>sbox</title><body style="background:#12ab34;color:white;font:40px sans-serif;padding:2em">
<h1>Firefox in sbox</h1><p>Own files, own processes, no privileges; only this page's server is outside."""
GREEN = (18, 171, 52)
LOOK = """
echo "user:        $(id -un), capabilities $(grep CapEff /proc/self/status | cut -f2), seccomp $(grep ^Seccomp: /proc/self/status | cut -f2)"
echo "processes:   $(ls -d /proc/[0-9]* | wc -l)"
echo "home:        $(ls -A ~ | tr '\\n' ' ')"
echo "/dev:        $(ls /dev | tr '\\n' ' ')"
echo "/run/user:   $(ls -A $XDG_RUNTIME_DIR | tr '\\n' ' ')"
"""


def look(account: Account, env: dict[str, str]) -> None:
    print("What a shell with Firefox's profile sees:")
    result = account.run([str(SBOX), "-p", "firefox", "--", "sh", "-c", LOOK], env)
    print("  " + result.out.replace("\n", "\n  ") + result.err)


def show_here() -> int:
    """On the caller's own desktop, as the caller."""
    with web_server(PAGE) as server:
        print(f"sbox firefox {server.url}   (close the window to end)")
        return subprocess.run([str(SBOX), "firefox", server.url], check=False).returncode


def show_on_own_display() -> int:
    with contextlib.ExitStack() as stack:
        account = Account()
        stack.callback(account.close)
        screen = stack.enter_context(display(account))
        env = {**screen.env, **stack.enter_context(session_bus(account))}
        server = stack.enter_context(web_server(PAGE))
        print(f"As {account.name}, on a display of its own: sbox firefox {server.url}")
        browser = account.daemon([str(SBOX), "firefox", server.url], env)
        stack.callback(account.stop, browser)
        wait_for(lambda: browser.poll() is not None or screen.enough(GREEN, 100_000), 60, "the page")
        if browser.poll() is not None:
            print((account.base / "daemons.log").read_text())
            return browser.returncode or 1
        ARTEFACTS.mkdir(parents=True, exist_ok=True)
        screen.save(ARTEFACTS / "run.png")
        print(f"It shows the page: {ARTEFACTS / 'run.png'}")
        look(account, env)
    return 0


def main() -> int:
    if os.getuid() != 0 and (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return show_here()
    return show_on_own_display()


if __name__ == "__main__":
    sys.exit(main())
