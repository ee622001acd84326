#!/usr/bin/env python3
"""Measures sbox side by side with its rivals and prints what holds of the figures that it promises.

Every figure is a ratio of medians of runs that took turns within this one run, as an ordinary user. Started as root, the
measured commands run as --user, and memory can be read of processes that their owner may not look into.
"""

import argparse
import json
import os
import pathlib
import pwd
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True  # the source tree stays as it is
import nodes

FIREJAIL_PROFILE = "/etc/firejail/firefox.profile"
FIREFOX = ["-q", "-p", "firefox", "-s", "dbus.session=no", "-s", "desktop.notifications=no"]
TRUE = "/usr/bin/true"
BWRAP = "/usr/bin/bwrap"


class NotMeasured(Exception):
    """A row that could not be measured, and why."""


class Workshop:
    """A scratch directory, a user, an environment with a display and a bus, and the commands that run in it."""

    def __init__(self, build, user, rounds):
        self.build = pathlib.Path(build).resolve()
        self.user, self.rounds = user, rounds
        self.services = []
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="sbox-bench-", dir="/var/tmp"))
        self.directory.chmod(0o755)
        runtime = self.directory / "runtime"
        runtime.mkdir(0o700)
        self.give(self.directory, runtime)
        self.environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": user.pw_dir, "USER": user.pw_name,
                            "LOGNAME": user.pw_name, "LANG": "C.UTF-8", "XDG_RUNTIME_DIR": str(runtime)}

    def __enter__(self):
        self.start_display()
        self.start_bus()
        return self

    def __exit__(self, *_):
        for service in self.services:
            service.terminate()
            service.wait()
        shutil.rmtree(self.directory)

    def give(self, *paths):
        if os.getuid() == 0:
            for path in paths:
                os.chown(path, self.user.pw_uid, self.user.pw_gid)

    def identity(self):
        if os.getuid() != 0:
            return {}
        return {"user": self.user.pw_uid, "group": self.user.pw_gid,
                "extra_groups": os.getgrouplist(self.user.pw_name, self.user.pw_gid)}

    def popen(self, command, **options):
        return subprocess.Popen([str(word) for word in command], env=self.environment, cwd="/", **self.identity(),
                                **options)

    def output(self, command, **options):
        process = self.popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                             text=True, **options)
        out, err = process.communicate()
        if process.returncode != 0:
            line = err.strip().splitlines()[-1] if err.strip() else "no message"
            raise NotMeasured(f"{pathlib.Path(command[0]).name}: status {process.returncode}: {line}")
        return out

    def start_service(self, *command):
        """Starts a service that writes one line to the descriptor "{}" of its command when it serves; that line."""
        reader, writer = os.pipe()
        self.services.append(self.popen([str(word).format(writer) for word in command], pass_fds=[writer],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL))
        os.close(writer)
        with os.fdopen(reader) as lines:
            return lines.readline().strip()

    def start_display(self):
        sockets = pathlib.Path("/tmp/.X11-unix")
        if os.getuid() == 0 and not sockets.exists():
            sockets.mkdir()
            sockets.chmod(0o1777)
        authority = self.directory / "xauthority"
        cookie = os.urandom(16).hex()
        # The server takes whatever cookie the file holds; the client's entry is added once the number is known.
        self.output(["/usr/bin/xauth", "-q", "-f", authority, "add", ":0", ".", cookie])
        # A number of its own: tests that run at the same time take the first that is free.
        wanted = 1000 + os.getpid() % 10000
        number = self.start_service("/usr/bin/Xvfb", f":{wanted}", "-screen", "0", "800x600x24", "-auth", authority, "-nolisten",
                                    "tcp", "-nolisten", "local", "-noreset", "-displayfd", "{}")
        if not number:
            raise NotMeasured("Xvfb does not start")
        self.output(["/usr/bin/xauth", "-q", "-f", authority, "add", f":{number}", ".", cookie])
        self.environment |= {"DISPLAY": f":{number}", "XAUTHORITY": str(authority)}

    def start_bus(self):
        socket = self.directory / "runtime" / "bus"
        address = self.start_service("/usr/bin/dbus-daemon", "--session", "--nofork", "--nopidfile",
                                     f"--address=unix:path={socket}", "--print-address={}")
        if not address:
            raise NotMeasured("dbus-daemon does not start")
        self.environment["DBUS_SESSION_BUS_ADDRESS"] = address

    def sbox(self, *arguments):
        return [str(self.build / "bin/sbox"), *map(str, arguments)]

    def plan(self, *arguments):
        return json.loads(self.output(self.sbox("--dry-run", *arguments)))

    def floor(self, plan, *command):
        path = self.directory / "floor.list"
        path.write_text(nodes.floor_list(plan))
        network = "own-net" if plan["own_network"] else "host-net"
        return [str(self.build / "bench/floor"), str(path), network, *map(str, command)]

    def race(self, *commands, rounds=None):
        """Median seconds of each command, run in turn."""
        for command in commands:
            self.output(command)  # what it says when it fails is worth more than the driver's one line
        files = []
        for index, command in enumerate(commands):
            files.append(self.directory / f"command-{index}")
            files[-1].write_text("".join(f"{word}\n" for word in command))
        times = [[] for _ in commands]
        for line in self.output([self.build / "bench/driver", rounds or self.rounds, *files]).splitlines():
            index, time, _ = line.split()
            times[int(index)].append(int(time) / 1e9)
        return [statistics.median(list_) for list_ in times]


class Row:
    def __init__(self, what, value, limit, held):
        self.what, self.value, self.limit, self.held = what, value, limit, held


def milliseconds(seconds):
    return f"{seconds * 1e3:.1f} ms"


def start_rows(shop):
    """The start of `true` under the full firefox profile, against the floor and bubblewrap."""
    plan = shop.plan(*FIREFOX, "--", TRUE)
    sbox, floor, bwrap = shop.race(shop.sbox(*FIREFOX, "--", TRUE), shop.floor(plan, TRUE),
                                   nodes.bwrap(plan, TRUE))
    mounts = sum(1 for node in plan["nodes"] if node["kind"] not in nodes.NO_MOUNT)
    yield Row(f"start, firefox profile, {mounts} mounts, against the bare mounts",
              f"{sbox / floor:.2f} x ({milliseconds(sbox)} : {milliseconds(floor)})", "<= 1.5 x", sbox / floor <= 1.5)
    yield Row("the same against bubblewrap with these mounts",
              f"{sbox / bwrap:.2f} x ({milliseconds(sbox)} : {milliseconds(bwrap)})", "<= 0.5 x", sbox / bwrap <= 0.5)


def firejail_row(shop):
    """The same with the D-Bus proxy, against firejail with its own firefox profile."""
    if not os.path.exists(FIREJAIL_PROFILE):
        raise NotMeasured(f"no {FIREJAIL_PROFILE}")
    sbox, firejail = shop.race(
        shop.sbox("-q", "-p", "firefox", "-s", "dbus.session=filtered", "--", TRUE),
        ["/usr/bin/firejail", "--quiet", f"--profile={FIREJAIL_PROFILE}", "--", TRUE], rounds=max(5, shop.rounds // 4))
    yield Row("the same with D-Bus proxy against firejail's firefox profile",
              f"{firejail / sbox:.1f} x faster ({milliseconds(sbox)} : {milliseconds(firejail)})", ">= 20 x faster",
              firejail / sbox >= 20)


def profile_with_binds(shop, count):
    """A profile file with `count` read-only lines, each of a directory that exists."""
    base = shop.directory / "binds"
    directories = [base / f"{number:04}" for number in range(count)]
    for directory in directories:
        directory.mkdir(parents=True, exist_ok=True)
    path = shop.directory / f"binds-{count}.profile"
    lines = "\n".join(f"  {directory}" for directory in directories)
    path.write_text(f"[profile]\ndescription = {count} binds\n\n[files]\nread-only =\n{lines}\n")
    return path


def bind_rows(shop):
    """A thousand further binds, against bubblewrap, and the growth to two thousand."""
    profiles = {count: profile_with_binds(shop, count) for count in (1, 1000, 2000)}
    run = {count: shop.sbox("-q", "-p", path, "--", TRUE) for count, path in profiles.items()}
    plan = shop.plan("-p", profiles[1000], "--", TRUE)
    sbox, bwrap = shop.race(run[1000], nodes.bwrap(plan, TRUE), rounds=max(5, shop.rounds // 20))
    yield Row("start with 1,000 further binds against bubblewrap",
              f"{bwrap / sbox:.0f} x faster ({milliseconds(sbox)} : {milliseconds(bwrap)})", ">= 50 x faster",
              bwrap / sbox >= 50)
    none, thousand, two_thousand = shop.race(run[1], run[1000], run[2000])
    growth = (two_thousand - none) / (thousand - none)
    yield Row("what 2,000 further binds add against what 1,000 add", f"{growth:.2f} x", "<= 2.3 x", growth <= 2.3)


def on_one_processor():
    os.sched_setaffinity(0, [min(os.sched_getaffinity(0))])


def filter_rows(shop):
    """Hot system calls under the shipped filter against the same under one rule, both in the same mounts."""
    hot = shop.directory / "hot"
    shutil.copy(shop.build / "bench/hot", hot)
    profile = [*FIREFOX, "-s", f"files.read-only+={hot}", "--"]
    plan = shop.plan(*profile, hot)
    commands = {"shipped": shop.sbox(*profile, hot), "one rule": shop.floor(plan, hot, "one-rule")}
    costs = {}
    for _ in range(max(5, shop.rounds // 2)):
        for name, command in commands.items():
            for line in shop.output(command, preexec_fn=on_one_processor).splitlines():
                call, cost = line.split()
                costs.setdefault(call, {}).setdefault(name, []).append(float(cost))
    for call, cost in costs.items():
        shipped, one_rule = (statistics.median(cost[name]) for name in commands)
        # Of each round, not of the medians: a processor that changes its speed divides the rounds into two kinds.
        ratio = statistics.median(mine / other for mine, other in zip(*cost.values()))
        yield Row(f"{call} under the shipped filter against one rule", f"{ratio:.3f} x ({shipped:.0f} : {one_rule:.0f} ns)",
                  "<= 1.05 x", ratio <= 1.05)


def descendants(pid):
    """`pid` and every process below it."""
    children = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                parent = pathlib.Path(f"/proc/{entry}/stat").read_text().rsplit(")", 1)[1].split()[1]
            except OSError:
                continue  # ended meanwhile
            children.setdefault(int(parent), []).append(int(entry))
    found = [pid]
    for each in found:
        found += children.get(each, [])
    return found


def proportional_memory(pid):
    """KiB of the sandbox's own processes at and below `pid`: not of the program, and how many they are."""
    total = count = 0
    for each in descendants(pid):
        try:
            if os.path.basename(os.readlink(f"/proc/{each}/exe")) == "sleep":
                continue
            lines = pathlib.Path(f"/proc/{each}/smaps_rollup").read_text().splitlines()
        except PermissionError:
            raise NotMeasured("the kernel shows this memory to root only")
        total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
        count += 1
    return total, count


def memory_of(shop, command):
    """What of it is in memory a second after the start, in KiB, and in how many processes."""
    process = shop.popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        if process.stdout.readline() != b"up\n":
            raise NotMeasured(f"{command[0]}: the program does not start")
        wait_for_sleep(process.pid)
        time.sleep(1)  # what is measured is how it runs, not how it starts
        return proportional_memory(process.pid)
    finally:
        end(process)


def end(process):
    """Ends all of a sandbox: bubblewrap's inner process would live on."""
    for pid in reversed(descendants(process.pid)):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass  # ended with another of them
    process.wait()
    process.stdout.close()


def wait_for_sleep(pid):
    """Until the shell that said "up" has become sleep."""
    while not any(os.path.basename(os.readlink(f"/proc/{each}/exe")) == "sleep" for each in descendants(pid)):
        os.sched_yield()


def memory_row(shop):
    program = ["/bin/sh", "-c", "echo up; exec /usr/bin/sleep 1000"]
    plan = shop.plan(*FIREFOX, "--", *program)
    sbox, sbox_count = memory_of(shop, shop.sbox(*FIREFOX, "--", *program))
    bwrap, bwrap_count = memory_of(shop, nodes.bwrap(plan, *program))
    yield Row("memory of one sandbox against bubblewrap",
              f"{sbox / bwrap:.2f} x ({sbox} KiB in {sbox_count} : {bwrap} KiB in {bwrap_count} processes)", "<= 1.5 x",
              sbox / bwrap <= 1.5)


MEASUREMENTS = [start_rows, firejail_row, bind_rows, filter_rows, memory_row]


def measure(shop, wanted):
    rows = []
    for measurement in MEASUREMENTS:
        if wanted and measurement.__name__.rsplit("_", 1)[0] not in wanted:
            continue
        try:
            rows += measurement(shop)
        except NotMeasured as reason:
            rows.append(Row(measurement.__doc__ or measurement.__name__, f"not measured: {reason}", "", False))
    return rows


def print_table(rows):
    widths = [max(len(getattr(row, name)) for row in rows) for name in ("what", "value", "limit")]
    for row in rows:
        print(f"{row.what:{widths[0]}}  {row.value:{widths[1]}}  {row.limit:{widths[2]}}  "
              f"{'held' if row.held else 'NOT held'}")


def ordinary_user(name):
    if os.getuid() != 0:
        return pwd.getpwuid(os.getuid())
    for candidate in [name] if name else ["sboxtest", "tester"]:
        try:
            return pwd.getpwnam(candidate)
        except KeyError:
            continue
    sys.exit("bench: no ordinary user to measure as (make one, and name it with --user)")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default="build", help="build directory (default: %(default)s)")
    parser.add_argument("--user", help="whom to measure as when started as root (default: sboxtest or tester)")
    parser.add_argument("--rounds", type=int, default=60, help="runs of each command (default: %(default)s)")
    parser.add_argument("--check", action="store_true", help="end with status 1 where a figure does not hold")
    parser.add_argument("row", nargs="*", choices=[*(m.__name__.rsplit("_", 1)[0] for m in MEASUREMENTS), []],
                        help="only these (default: all)")
    arguments = parser.parse_args()
    with Workshop(arguments.build, ordinary_user(arguments.user), arguments.rounds) as shop:
        rows = measure(shop, arguments.row)
    print_table(rows)
    return 1 if arguments.check and not all(row.held for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
