"""Attack suite, policy: odd profiles and values, hosts that cannot do what is asked, and faults in the middle of a start."""

from __future__ import annotations

import json
import os
import shutil
import time

from account import BUILD, SBOX
from attack import AttackTest
from attack_stage import limited

GOOD = "[profile]\ndescription = x\n"
# A cut line or value could be a wider one: each of these is refused as a whole.
ODD = {
    "crlf": "[profile]\r\ndescription = x\r\n",
    "no newline at the end": "[home]\nmode = private",
    "byte order mark": "\ufeff[home]\nmode = private\n",
    "nul": "[home]\nmode = empty\0\n",
    "bad utf-8": b"[profile]\ndescription = \xff\xfe\n",
    "long line": "[files]\nread-only = /usr/" + "x" * 200 + "\n",
    "very long line": "[files]\nread-only = /usr/" + "x" * 100_000 + "\n",
    "key twice": "[home]\nmode = empty\nmode = host\n",
    "section twice": "[home]\nmode = empty\n[files]\n[home]\nsize = 1M\n",
    "key outside": "mode = host\n[home]\n",
    "no value": "[home]\nmode\n",
    "no end of section": "[home\nmode = empty\n",
    "text behind a section": "[home] mode = host\n",
    "indented first": "  mode = host\n",
    "open quote": '[files]\nread-only = "/usr/share\n',
    "text behind a quote": '[files]\nread-only = "/usr/share"x\n',
    "unknown section": "[nettwork]\nmode = none\n",
    "unknown key": "[network]\nmodes = none\n",
    "unknown value": "[network]\nmode = nome\n",
    "other case": "[Network]\nMode = none\n",
    "empty include": "[profile]\ninclude = no-such-block\n",
    "include above": "[profile]\ninclude = ../x\n",
    "unknown feature": "[profile]\noptional = landlock\n",
    "pattern": "[files]\nhide = /usr/share/*\n",
    "other user's home": "[files]\nread-only = ~root/x\n",
    "double slash": "[files]\nhide = /usr//share\n",
    "dot": "[files]\nhide = /usr/./share\n",
    "slash at the end": "[files]\nhide = /usr/share/\n",
    "variable": "[files]\nread-only = $HOME/x\n",
    "unknown macro": "[files]\nread-only = ${HOMES}/x\n",
    "control character": "[files]\nread-only = /usr/\x01x\n",
    "too large": "[profile]\n" + "# x\n" * 70_000,
}  # fmt: skip
NUMBERS = ("-1", "+1", "0x10", "1e3", "1 2", "1,2", "1.5G", "10KB", "K", "G1", "99999999999999999999", "18446744073709551616",
           "17179869184G", "١", "one", "1;2")  # fmt: skip


class Profiles(AttackTest):
    def test_an_odd_profile_is_refused_as_a_whole(self) -> None:
        self.assertEqual(self.sbox("-p", self.profile(GOOD), "--", "true").status, 0, "the control")
        for name, text in ODD.items():
            with self.subTest(name):
                path = str(self.account.file(self.account.base / "profiles/odd.profile", text))
                began = time.monotonic()
                result = self.refused("-p", path, "--", "true")
                self.assertLess(time.monotonic() - began, 5)
                self.assertIn(path, result.err)

    def test_includes_that_lead_back_are_refused(self) -> None:
        for number in range(3):
            self.account.file(self.account.home / f".config/sbox/profiles/round-{number}.profile",
                              f"[profile]\ninclude = round-{(number + 1) % 3}\n")  # fmt: skip
        self.addCleanup(shutil.rmtree, self.account.home / ".config")
        for name in ("round-0", "round-2"):
            with self.subTest(name):
                self.refused("-p", name, "--", "true", timeout=5)

    def test_a_profile_that_others_could_change_is_refused(self) -> None:
        self.root_only()
        path = self.account.file(self.account.base / "profiles/trust.profile", GOOD)
        link = path.with_name("link.profile")
        os.symlink(path, link)
        os.lchown(link, 65534, 65534)
        self.refused("-p", str(link), "--", "true")
        for change in (lambda: path.chmod(0o664), lambda: path.chmod(0o646), lambda: os.chown(path, 65534, 65534)):
            path.chmod(0o644)
            self.account.own(path)
            self.assertEqual(self.sbox("-p", str(path), "--", "true").status, 0, "the control")
            change()
            self.refused("-p", str(path), "--", "true")
        self.account.own(path).chmod(0o644)
        path.parent.chmod(0o777)
        self.addCleanup(path.parent.chmod, 0o755)
        self.refused("-p", str(path), "--", "true")

    def test_numbers_are_numbers(self) -> None:
        for key in ("limits.open-files", "limits.file-size", "home.size", "system.tmp-size", "system.shm-size"):
            for value in NUMBERS:
                with self.subTest(key=key, value=value):
                    self.refused("-s", f"{key}={value}", "--", "true")

    def test_a_value_never_becomes_another_setting(self) -> None:
        net = os.readlink("/proc/self/ns/net")
        for value in ("a\n[network]\nmode = host", "a\nmode = host", "a\r[network]", "a\x0bb"):
            for key in ("system.hostname", "profile.optional", "home.keep", "environment.set", "dbus.talk"):
                with self.subTest(key=key, value=value):
                    result = self.sbox("-s", f"{key}={value}", "--", "readlink", "/proc/self/ns/net")
                    self.assertEqual((result.status, result.out), (125, ""), result)
        folders = 'XDG_DOWNLOAD_DIR="$HOME/a, /etc/ssh"\nXDG_DOCUMENTS_DIR="$HOME/${UID}"\nXDG_PICTURES_DIR="/etc/../root"\n'
        folders += 'XDG_MUSIC_DIR="$HOME/"\nXDG_VIDEOS_DIR="$HOME/."\n'
        self.account.file(self.account.home / ".config/user-dirs.dirs", folders)
        self.addCleanup(shutil.rmtree, self.account.home / ".config")
        for folder in ("a, ", "Music", "Videos"):
            self.account.directory(self.account.home / folder)
        lists = "${DOWNLOADS}", "${DOCUMENTS}", "${PICTURES}"
        for macro in lists:
            plan = self.sbox("--dry-run", "-s", f"home.keep+={macro}", "--", "true")
            with self.subTest(macro=macro):
                sources = [node.get("source", "") for node in json.loads(plan.out)["nodes"]] if plan.status == 0 else []
                self.assertEqual([path for path in sources if path.startswith(("/etc/ssh", "/root"))], [])
        for macro in ("${MUSIC}", "${VIDEOS}"):
            with self.subTest(macro=macro):  # A folder that is switched off is not the whole home.
                self.refused("-s", f"home.keep+={macro}", "--", "true")
        self.assertNotIn(net, self.inside("readlink /proc/self/ns/net"))

    def test_a_denied_call_is_denied_by_whatever_name_and_an_unknown_one_refuses(self) -> None:
        for name in ("open_tree_attr", "listmount", "@namespace"):
            self.assertEqual(self.sbox("-s", f"seccomp.deny+={name}", "--", "true").status, 0, name)
        for name in ("no_such_call", "@none", "467", "getpid2", "Uname", "open tree"):
            for key in ("deny", "allow"):
                with self.subTest(name=name, key=key):
                    self.refused("-s", f"seccomp.{key}+={name}", "--", "true")


class StartsNothing(AttackTest):
    def test_options_that_only_tell_start_nothing(self) -> None:
        marker = self.directory("marker") / "started"
        command = ["-s", f"files.read-write+={marker.parent}", "--", "sh", "-c", f": >{marker}"]
        for options in (["--help"], ["-h"], ["--version"], ["--dry-run"], ["--debug"], ["--no-such"], ["-Z"], ["--profile"],
                        ["--name", "../x"], ["--name", "a/b"], [f"--output=$(touch {marker})"], ["-p", ""], ["-p"], ["-s"],
                        ["-s", "x"], ["-s", "=x"], ["-s", "network.mode"], ["--log=/tmp/x"], ["explain"], ["lint"]):  # fmt: skip
            with self.subTest(options=options):
                marker.unlink(missing_ok=True)
                self.sbox(*options, *command)
                self.assertFalse(marker.exists())
        self.assertEqual(self.sbox(*command).status, 0)
        self.assertTrue(marker.exists(), "the control")

    def test_an_export_starts_nothing(self) -> None:
        marker = self.directory("marker") / "started"
        command = ["-s", f"files.read-write+={marker.parent}", "--", "sh", "-c", f": >{marker}"]
        self.assertEqual(self.sbox("export", "--oci", str(self.work / "bundle"), *command).status, 0)
        self.assertFalse(marker.exists())
        for argument in ("1", "-1", "0", str(os.getpid()), "default"):
            with self.subTest(argument=argument):
                self.refused("export", argument)


class Hosts(AttackTest):
    def test_without_user_namespaces_nothing_starts(self) -> None:
        self.root_only()
        tell = [str(SBOX), "--", "echo", "started"]
        self.assertEqual(limited(self.account, "", *tell).out, "started\n", "the control")
        for kind in ("user", "mnt", "pid", "ipc", "uts", "cgroup", "net"):
            with self.subTest(kind):
                result = limited(self.account, f"max_{kind}_namespaces", *tell)
                self.assertEqual((result.status, result.out), (125, ""), result)
                self.assertRegex(result.err, r"\Asbox: [^\n]+doctor[^\n]+\n\Z")

    def test_a_sandbox_in_one_that_may_nest_is_whole_or_refused(self) -> None:
        grant = ["-s", "process.nested-sandbox=yes", "-s", f"files.read-only+={BUILD}", "-s", f"files.read-only+={self.work}"]
        self.file("secret", "secret")
        script = f"cat {self.work}/secret; grep -h '^Cap\\|^NoNewPrivs\\|^Seccomp:' /proc/self/status; ls -A ~"
        outer = self.sbox(*grant, "--", "sh", "-c", script)
        self.assertIn("secret", outer.out, "the control")
        result = self.sbox(*grant, "--", str(SBOX), "--", "sh", "-c", f"({script}) 2>/dev/null")
        if result.status == 125:
            self.assertEqual(result.out, "", result)
            return
        self.assertNotIn("secret", result.out)
        self.assertIn("NoNewPrivs:\t1\nSeccomp:\t2\n", result.out)
        self.assertEqual(result.out.count("\t0000000000000000\n"), 5, result)
