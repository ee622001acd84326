"""The file tree: what is hidden, what is granted, and that a grant cannot be stretched."""

from __future__ import annotations

import os
import pathlib
import shutil
import socket

from account import SBOX
from harness import SystemTest

SECRETS = (
    ".ssh/id_ed25519", ".gnupg/private-keys-v1.d/key", ".netrc", ".aws/credentials", ".kube/config",
    ".docker/config.json", ".config/gh/hosts.yml", ".local/share/keyrings/login.keyring", ".bash_history",
    ".password-store/x.gpg", ".mozilla/firefox/x.default/logins.json", ".config/chromium/Default/Cookies",
)  # fmt: skip


class Hidden(SystemTest):
    def test_the_real_home_is_not_there(self) -> None:
        canary = self.file("canary", "secret")
        for mode in ("empty", "private"):
            with self.subTest(mode=mode):
                out = self.inside(f"ls -A ~; cat {canary} 2>/dev/null; true", "-s", f"home.mode={mode}")
                self.assertNotIn("secret", out)
                self.assertNotIn(self.work.name, out)

    def test_secrets_of_a_home_are_not_there(self) -> None:
        made = [self.account.home / name for name in SECRETS if not (self.account.home / name).exists()]
        for path in made:
            self.account.file(path, "canary")
            self.addCleanup(path.unlink)
        names = " ".join(f"~/{name}" for name in SECRETS)
        self.assertEqual(self.inside(f"cat {names} 2>/dev/null; true"), "")

    def test_another_user_s_files_are_not_there(self) -> None:
        self.root_only()
        other = pathlib.Path("/home/sbox-other-user")
        other.mkdir(exist_ok=True)
        self.addCleanup(shutil.rmtree, other)
        (other / "canary").write_text("secret")
        self.assertEqual(self.account.run(["cat", str(other / "canary")]).out, "secret", "the control")
        self.assertNotIn("secret", self.inside(f"ls /home; cat {other}/canary 2>&1; true"))
        self.assertNotIn(other.name, self.inside("ls -A /home"))

    def test_secrets_of_the_system_are_not_there(self) -> None:
        paths = "/etc/shadow /etc/gshadow /etc/sudoers /etc/ssh /boot /root /var/log /var/mail /var/spool /var/lib /srv"
        out = self.inside(f"for p in {paths}; do ls -A $p 2>/dev/null; done; true")
        self.assertEqual(out, "")

    def test_only_tmp_home_and_runtime_can_be_written(self) -> None:
        script = "find / -xdev -type d -writable 2>/dev/null; for m in $(cut -d' ' -f5 /proc/self/mountinfo); do "
        script += "[ -w $m ] && [ -d $m ] && echo $m; done; true"
        found = set(self.inside(script).split())
        allowed = (str(self.account.home), "/tmp", "/dev/shm", "/run/user", "/dev/pts", "/proc", "/var/tmp")
        self.assertEqual([path for path in found if not path.startswith(allowed)], [])

    def test_usr_cannot_be_changed(self) -> None:
        for path in ("/usr/x", "/etc/x", "/x", "/bin/x", "/dev/x", "/run/x"):
            with self.subTest(path=path):
                self.assertEqual(self.inside(f"(echo x >{path}) 2>/dev/null || echo no"), "no\n")

    def test_modes_of_what_is_made_are_as_everywhere(self) -> None:
        out = self.inside('stat -c %a /tmp /dev/shm /usr /etc "$XDG_RUNTIME_DIR"')
        self.assertEqual(out.split(), ["1777", "1777", "755", "755", "700"])


class Sizes(SystemTest):
    def fills_up(self, path: str, *options: str) -> None:
        script = f"head -c 9M /dev/zero >{path}/big 2>/tmp/error; echo $?; stat -c %s {path}/big"
        status, size = self.inside(script, *options).split()
        self.assertNotEqual(status, "0")
        self.assertLessEqual(int(size), 4 << 20)

    def test_the_size_limits_hold(self) -> None:
        self.fills_up("~", "-s", "home.size=4M")
        self.fills_up("/dev/shm", "-s", "system.shm-size=4M")

    def test_the_size_of_tmp_holds(self) -> None:
        out = self.inside("head -c 9M /dev/zero >/tmp/big 2>/dev/null || echo full", "-s", "system.tmp-size=4M")
        self.assertEqual(out, "full\n")

    def test_the_number_of_files_is_limited(self) -> None:
        code = "import os\nn = 0\ntry:\n  while n < 5_000_000: os.close(os.open(f'/tmp/{n}', os.O_CREAT)); n += 1\n"
        code += "except OSError as error: print(error.errno)\n"
        self.assertEqual(self.python(code, "-s", "system.tmp-size=4M", timeout=60), "28\n")

    def test_the_runtime_directory_is_no_way_to_fill_the_memory(self) -> None:
        script = 'head -c 4000M /dev/zero >"$XDG_RUNTIME_DIR/big" 2>/dev/null || echo full'
        self.assertEqual(self.inside(script, timeout=60), "full\n")

    def test_limits_of_files_hold(self) -> None:
        out = self.inside("ulimit -n; ulimit -f", "-s", "limits.open-files=99", "-s", "limits.file-size=1M")
        self.assertEqual(out.split()[0], "99")
        self.assertEqual(int(out.split()[1]) * 512, 1 << 20)


class Grants(SystemTest):
    def test_read_only_is_read_only(self) -> None:
        path = self.file("folder/file", "text").parent
        out = self.inside(
            f"cat {path}/file; (echo x >>{path}/file; rm -f {path}/file; touch {path}/new; chmod 777 {path}) 2>/dev/null; true",
            "-s", f"files.read-only+={path}",
        )  # fmt: skip
        self.assertEqual(out, "text")
        self.assertEqual([(p.name, p.read_text()) for p in path.iterdir()], [("file", "text")])
        self.assertEqual(path.stat().st_mode & 0o777, 0o755)

    def test_read_write_reaches_the_host(self) -> None:
        path = self.directory("folder")
        self.inside(f"echo changed >{path}/file", "-s", f"files.read-write+={path}")
        self.assertEqual((path / "file").read_text(), "changed\n")
        self.assertEqual((path / "file").stat().st_uid, self.account.uid)

    def test_what_does_not_exist_is_left_out(self) -> None:
        self.assertEqual(self.inside("echo ok", "-s", f"files.read-only+={self.work}/missing"), "ok\n")

    def test_hide_wins_over_a_wider_grant(self) -> None:
        self.file("folder/private/file", "secret")
        self.file("folder/public", "text")
        options = ["-s", f"files.read-write+={self.work}/folder", "-s", f"files.hide+={self.work}/folder/private"]
        script = f"cd {self.work}/folder; cat public; cat private/file 2>/dev/null; ls -A private 2>/dev/null; "
        script += "(touch private/new) 2>/dev/null; true"
        self.assertEqual(self.inside(script, *options), "text")
        self.assertEqual([p.name for p in (self.work / "folder/private").iterdir()], ["file"])

    def test_a_socket_in_a_granted_directory_cannot_be_connected_to(self) -> None:
        place = self.directory("place/below")
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(place / "socket"))
            listener.listen()
            self.account.own(place / "socket")
            code = f"import socket; socket.socket(socket.AF_UNIX).connect({str(place / 'socket')!r}); print('connected')"
            control = self.account.run(["/usr/bin/python3", "-c", code])
            self.assertEqual(control.out, "connected\n", control)
            for key in ("read-only", "read-write"):
                with self.subTest(key=key):
                    grant = f"files.{key}={place.parent}"
                    result = self.sbox("-s", grant, "--", "/usr/bin/python3", "-c", code)
                    self.assertEqual((result.status, result.out), (1, ""), result)
                    # Where the kernel does not tell of the bound ones alone, all are listed.
                    unasked = ["strace", "-qq", "-o", "/dev/null", "-e", "trace=socket", "-e",
                               "inject=socket:error=EPROTONOSUPPORT", str(SBOX), "-s", grant, "--", "/usr/bin/python3", "-c"]
                    result = self.account.run([*unasked, code])
                    self.assertEqual((result.status, result.out), (1, ""), result)
                    # One that the profile names itself is granted.
                    named = f"files.read-only+={place / 'socket'}"
                    self.assertEqual(self.python(code, "-s", grant, "-s", named), "connected\n")

    def test_what_is_to_be_hidden_below_a_writable_grant_must_exist(self) -> None:
        folder = self.directory("folder")
        self.refused("-s", f"files.read-write+={folder}", "-s", f"files.hide+={folder}/missing", "true")
        self.assertEqual(list(folder.iterdir()), [])

    def test_parents_of_a_protected_path_cannot_be_renamed_away(self) -> None:
        self.file("top/a/b/protected/file", "text")
        top = self.work / "top"
        options = ["-s", f"files.read-write+={top}", "-s", f"files.read-only+={top}/a/b/protected"]
        script = f"cd {top}; for d in a a/b a/b/protected; do mv $d moved 2>/dev/null && echo moved $d; done; "
        script += "rm -rf a 2>/dev/null; mkdir -p a/b/protected; echo x >a/b/protected/file; true"
        self.assertEqual(self.inside(script, *options), "")
        self.assertEqual((top / "a/b/protected/file").read_text(), "text")

    def test_sbox_s_own_directories_are_hidden_below_a_wide_grant(self) -> None:
        config = self.account.home / ".config" / "sbox" / "profiles"
        state = self.account.home / ".local" / "share" / "sbox"
        existed = config.exists()
        for path in (config, state):
            self.account.directory(path)
        if not existed:
            self.addCleanup(shutil.rmtree, config.parent)
        script = "for d in .config/sbox .local/share/sbox; do ls -A ~/$d; touch ~/$d/planted; done 2>/dev/null; "
        script += "mv ~/.config/sbox ~/.config/moved; mv ~/.config ~/moved; true"
        self.inside(f"({script}) 2>/dev/null", "-s", f"files.read-write+={self.account.home}")
        self.assertEqual(list(config.iterdir()), [])
        self.assertTrue(config.is_dir())

    def test_an_argument_is_granted_as_the_profile_says(self) -> None:
        path = self.file("document", "text\n")
        for mode, shown, kept in (("no", "", "text\n"), ("read-only", "text\n", "text\n"), ("read-write", "text\n", "new\n")):
            with self.subTest(mode=mode):
                path.write_text("text\n")
                script = '{ cat "$1"; echo new >"$1"; } 2>/dev/null; true'
                out = self.sbox("-s", f"files.arguments={mode}", "--", "sh", "-c", script, "sh", str(path)).out
                self.assertEqual((out, path.read_text()), (shown, kept))

    def test_an_argument_grants_itself_and_not_its_neighbours(self) -> None:
        self.file("neighbour", "secret")
        path = self.file("document", "text")
        script = 'ls "$(dirname "$1")"'
        out = self.sbox("-s", "files.arguments=read-write", "--", "sh", "-c", script, "sh", str(path)).out
        self.assertEqual(out, "document\n")

    def test_a_relative_argument_and_one_with_odd_characters_are_granted(self) -> None:
        for name in ("plain", "a b;touch m", "line\nbreak", "--profile=x", "@@"):
            with self.subTest(name=name):
                self.file(name, "text")
                argument = "./" + name if name.startswith("-") else name
                script = 'cat "$1"'
                result = self.sbox(
                    "-s", "files.arguments=read-only", "--", "sh", "-c", script, "sh", argument, cwd=str(self.work)
                )
                self.assertEqual(result.out, "text", result)

    def test_a_relative_argument_means_the_same_inside_whatever_the_home_is(self) -> None:
        base = self.account.directory(self.account.home / "documents")
        self.account.directory(base / "drafts")
        self.account.file(base / "text", "text")
        self.account.file(base / "-dash", "dash")
        for mode in ("empty", "private", "overlay", "host"):
            for directory, arguments, expected in (
                (base, ("text",), "text"),
                (base, ("drafts/../text",), "text"),
                (base, ("--", "-dash"), "dash"),
                (base / "drafts", ("../text",), "text"),
                (base / "drafts", ("../../documents/./text",), "text"),
            ):
                for option in ("-q", "--ephemeral"):
                    with self.subTest(mode=mode, arguments=arguments, option=option):
                        settings = ("-s", "files.arguments=read-only", "-s", f"home.mode={mode}")
                        result = self.sbox(option, *settings, "--", "cat", *arguments, cwd=str(directory))
                        self.assertEqual((result.out, result.status), (expected, 0), result)

    def test_the_agent_profile_gives_the_current_directory_and_nothing_else(self) -> None:
        project = self.directory("project")
        self.file("secret", "secret")
        script = f"echo made >here; /bin/pwd; cat {self.work}/secret 2>/dev/null; ls -A ~ {self.work}"
        result = self.sbox("-p", "agent", "sh", "-c", script, cwd=str(project))
        self.assertEqual(result.status, 0, result)
        self.assertEqual((project / "here").read_text(), "made\n")
        self.assertEqual(result.out.splitlines()[0], str(project))
        self.assertNotIn("secret", result.out)


class Homes(SystemTest):
    def test_an_empty_home_is_forgotten(self) -> None:
        self.inside("echo x >~/kept", "-s", "home.mode=empty")
        self.assertEqual(self.inside("ls -A ~", "-s", "home.mode=empty"), "")
        self.assertFalse((self.account.home / "kept").exists())

    def test_a_private_home_is_kept_for_the_profile_and_hidden_from_others(self) -> None:
        one, two = self.profile("[home]\nmode = private\n", "one"), self.profile("[home]\nmode = private\n", "two")
        self.assertEqual(self.sbox("-p", one, "sh", "-c", "echo x >~/kept").status, 0)
        self.assertEqual(self.sbox("-p", one, "sh", "-c", "cat ~/kept").out, "x\n")
        self.assertEqual(self.sbox("-p", two, "sh", "-c", "ls -A ~").out, "")
        self.assertFalse((self.account.home / "kept").exists())

    def test_kept_paths_of_the_real_home_are_there(self) -> None:
        folder = self.file("folder/file", "text").parent
        out = self.inside(f"cat {folder}/file; echo new >{folder}/other; ls -A ~", "-s", f"home.keep+={folder}")
        self.assertTrue(out.startswith("text"), out)
        self.assertEqual((folder / "other").read_text(), "new\n")

    def test_what_is_kept_read_only_cannot_be_changed(self) -> None:
        folder = self.file("folder/file", "text").parent
        self.inside(f"(echo x >{folder}/file) 2>/dev/null; true", "-s", f"home.keep-read-only+={folder}")
        self.assertEqual((folder / "file").read_text(), "text")

    def test_a_link_that_a_sandbox_planted_in_its_home_is_not_followed(self) -> None:
        target = self.directory("target")
        profile = self.profile("[home]\nmode = private\n", "planted")
        self.assertEqual(self.sbox("-p", profile, "ln", "-s", str(target), f"{self.account.home}/folder").status, 0)
        real = self.account.home / "folder"
        self.account.directory(real)
        self.addCleanup(shutil.rmtree, real)
        result = self.sbox("-p", profile, "-s", "home.keep+=~/folder", "--", "sh", "-c", "echo x >~/folder/file")
        self.assertEqual(list(target.iterdir()), [])
        self.assertEqual(result.status, 125, result)

    def test_a_link_in_a_writable_directory_refuses_the_start(self) -> None:
        folder, outside = self.directory("folder"), self.file("outside/secret", "secret").parent
        os.symlink(outside, folder / "link")
        self.account.own(folder / "link")
        options = ["-s", f"files.read-write+={folder}", "-s", f"files.read-only+={folder}/link"]
        self.refused(*options, "--", "cat", f"{folder}/link/secret")

    def test_a_link_of_the_system_still_works(self) -> None:
        self.assertEqual(self.inside("cat /var/run/../../etc/hostname >/dev/null 2>&1; readlink /bin"), "usr/bin\n")
