#!/usr/bin/env python3
"""Throughput and latency of a private network, beside pasta alone and the host, on the lab of the system tests.

The medians of runs that take turns. Only root can make the lab; started otherwise it says so and measures nothing.
"""

from __future__ import annotations

import json
import os
import pathlib
import statistics
import sys
from collections.abc import Callable

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "system"))

from account import SBOX, Account  # noqa: E402
from lab import WORLD4, WORLD6, Lab  # noqa: E402

ROUNDS, SECONDS, VISITS = 5, 1, 200
PASTA = ["pasta", "--config-net", "-q", "-t", "none", "-u", "none", "-T", "none", "-U", "none", "--no-map-gw", "--"]
WAYS = {
    "host": [],
    "pasta": PASTA,
    "sbox": [str(SBOX), "-s", "network.mode=private", "--"],
    "sbox with lists": [str(SBOX), "-s", "network.mode=private", "-s", "network.connect=198.51.100.0/24, 2001:db8::/32",
                        "-s", "network.deny=lan", "--"],
}  # fmt: skip
# The median time of a connection that asks once and is answered, in microseconds.
VISIT = f"""
import socket, statistics, sys, time
times = []
for _ in range({VISITS}):
    began = time.perf_counter()
    s = socket.create_connection((sys.argv[1], 80))
    s.recv(100)
    s.close()
    times.append(time.perf_counter() - began)
print(statistics.median(times) * 1e6)
"""


def throughput(lab: Lab, way: list[str], address: str, *options: str) -> float:
    """Gigabits in a second."""
    result = lab.run(*way, "iperf3", "-c", address, "-t", str(SECONDS), "-J", *options, timeout=60)
    return json.loads(result.out)["end"]["sum_received"]["bits_per_second"] / 1e9


def latency(lab: Lab, way: list[str], address: str) -> float:
    return float(lab.run(*way, "/usr/bin/python3", "-I", "-S", "-c", VISIT, address, timeout=60).out)


def main() -> int:
    if os.getuid() != 0:
        print("network: not measured: needs root to make network namespaces")
        return 0
    rows: dict[str, Callable[[Lab, list[str]], float]] = {
        "up, IPv4, Gbit/s": lambda lab, way: throughput(lab, way, WORLD4),
        "down, IPv4, Gbit/s": lambda lab, way: throughput(lab, way, WORLD4, "-R"),
        "up, IPv6, Gbit/s": lambda lab, way: throughput(lab, way, WORLD6),
        "down, IPv6, Gbit/s": lambda lab, way: throughput(lab, way, WORLD6, "-R"),
        "connect, ask, hear, IPv4, us": lambda lab, way: latency(lab, way, WORLD4),
        "connect, ask, hear, IPv6, us": lambda lab, way: latency(lab, way, WORLD6),
    }
    account = Account()
    lab = Lab(account)
    try:
        lab.serve(lab.world, f"tcp {WORLD4} 80", f"tcp {WORLD6} 80")
        lab.started.append(account.daemon(["ip", "netns", "exec", lab.world, "iperf3", "-s"], user=0, group=0))
        print(f"{'':30}" + "".join(f"{name:>17}" for name in WAYS) + f"{'sbox/pasta':>17}")
        for row, measure in rows.items():
            values: dict[str, list[float]] = {name: [] for name in WAYS}
            for _ in range(ROUNDS):
                for name, way in WAYS.items():
                    values[name].append(measure(lab, way))
            medians = {name: statistics.median(each) for name, each in values.items()}
            print(f"{row:30}" + "".join(f"{value:17.2f}" for value in medians.values())
                  + f"{medians['sbox'] / medians['pasta']:17.2f}", flush=True)  # fmt: skip
    finally:
        lab.close()
        account.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
