"""The command line: arguments, exit statuses, errors, and the subcommands that start nothing."""

from __future__ import annotations

import json
import os
import unittest

from account import BUILD, SBOX
from harness import SystemTest, running

AWKWARD = ["a b", "", "line\nbreak", "--bind", "--", "-p", "--set", "$(touch marker)", "a;b", "@@", "ünï", "*", "\\", "'\""]


class Arguments(SystemTest):
    def test_arguments_reach_the_program_exactly(self) -> None:
        code = "import sys, json; print(json.dumps(sys.argv[1:]))"
        result = self.sbox("--", "/usr/bin/python3", "-I", "-c", code, *AWKWARD)
        self.assertEqual(result.status, 0, result)
        self.assertEqual(json.loads(result.out), AWKWARD)

    def test_options_after_the_program_belong_to_the_program(self) -> None:
        result = self.sbox("/usr/bin/printf", "%s\n", "-p", "--dry-run", "--help")
        self.assertEqual((result.status, result.out), (0, "-p\n--dry-run\n--help\n"), result)

    def test_the_beginning_of_an_option_is_no_option(self) -> None:
        for word, meant in (("--dry-ru", "--dry-run"), ("--nam=x", "--name"), ("--profil=default", "--profile")):
            self.assertIn(f"(did you mean {meant}?)", self.refused(word, "--", "true").err)

    def test_two_dashes_end_the_options(self) -> None:
        result = self.sbox("--", "/usr/bin/echo", "x")
        self.assertEqual((result.status, result.out), (0, "x\n"), result)

    def test_run_starts_programs_that_are_called_like_a_subcommand(self) -> None:
        tools = self.directory("tools")
        self.account.file(tools / "list", "#!/bin/sh\necho my list\n", 0o755)
        env = {"PATH": f"{tools}:/usr/bin:/bin"}
        result = self.sbox("run", "-s", f"files.read-only+={tools}", "--", "list", env=env)
        self.assertEqual((result.status, result.out), (0, "my list\n"), result)

    def test_a_program_is_found_in_path(self) -> None:
        result = self.sbox("echo", "found")
        self.assertEqual((result.status, result.out), (0, "found\n"), result)

    def test_the_last_value_of_an_option_list_wins(self) -> None:
        out = self.inside("hostname", "-s", "system.hostname=one", "-s", "system.hostname=two")
        self.assertEqual(out, "two\n")


    def test_inside_of_a_sandbox_none_is_started(self) -> None:
        for nested in ("no", "yes", "mounts"):
            with self.subTest(nested=nested):
                options = ("-s", f"files.read-only={BUILD}", "-s", f"process.nested-sandbox={nested}")
                self.assertIn("inside of a sandbox", self.refused(*options, "--", str(SBOX), "true").err)


class ExitStatus(SystemTest):
    def test_success_is_0(self) -> None:
        self.assertEqual(self.sbox("true").status, 0)

    def test_the_program_s_status_is_sbox_s(self) -> None:
        for status in (1, 7, 125, 255):
            with self.subTest(status=status):
                self.assertEqual(self.sbox("sh", "-c", f"exit {status}").status, status)

    def test_a_signal_is_128_and_its_number(self) -> None:
        for number in (1, 6, 9, 11, 15):
            with self.subTest(signal=number):
                self.assertEqual(self.sbox("sh", "-c", f"kill -{number} $$").status, 128 + number)

    def test_the_program_s_end_is_the_end_although_others_run_on(self) -> None:
        result = self.sbox("sh", "-c", "sleep 4711.5 & exit 3", timeout=10)
        self.assertEqual(result.status, 3)
        self.assertEqual(running("4711.5"), [])

    def test_a_missing_program_is_127(self) -> None:
        self.refused("no-such-program-here", status=127)
        self.refused("/usr/bin/no-such-program-here", status=127)

    def test_a_word_that_is_no_program_may_be_meant_for_another(self) -> None:
        for word, meant in (("fierfox", "did you mean firefox?"), ("listt", "did you mean `sbox list`?"), ("./x", "look at the path")):
            self.assertIn(f"({meant})", self.refused(word, status=127).err)
        self.assertIn("(did you mean `sbox doctor`? Its options stand behind it)", self.refused("-q", "doctor", status=127).err)
        self.assertIn("(did you mean firefox?)", self.refused("learn", "--yes", "fierfox", status=127).err)

    def test_what_cannot_be_executed_is_126(self) -> None:
        path = self.file("plain", "text\n", 0o644)
        self.refused("-s", f"files.read-only+={path}", "--", str(path), status=126)

    def test_a_directory_is_not_a_program(self) -> None:
        self.refused("/usr", status=126)

    def test_what_is_no_file_is_not_a_program(self) -> None:
        loop, fifo = self.work / "loop", self.work / "fifo"
        loop.symlink_to("loop")
        os.mkfifo(fifo, 0o755)
        self.assertIn("cannot be reached (look at the path", self.refused("--", str(loop), status=126).err)
        self.assertIn("is no file", self.refused("--", str(self.account.own(fifo)), status=126).err)

    def test_what_cannot_be_executed_comes_with_what_to_do(self) -> None:
        cases = (
            ("#!/no/such/interpreter\n", 0o755, 127, "what its #! line or its loader names is not there"),
            ("echo\n", 0o755, 126, "a script begins with a line like #!/bin/sh"),
            ("#!/bin/sh\n", 0o644, 126, "`chmod +x` makes a program of it"),
        )
        for text, mode, status, remedy in cases:
            with self.subTest(remedy=remedy):
                path = self.file("script", text, mode)
                self.assertIn(f"({remedy})", self.refused("--", str(path), status=status).err)
        self.assertEqual(self.sbox("--", str(self.file("script", "#!/bin/sh\nexit 3\n", 0o755))).status, 3)


class Refusals(SystemTest):
    """Whatever is odd: one line, status 125, nothing started."""

    def test_an_unknown_profile(self) -> None:
        self.refused("-p", "no-such-profile", "true")

    def test_an_unknown_key_comes_with_a_suggestion(self) -> None:
        result = self.refused("-s", "network.mod=host", "true")
        self.assertIn("mode", result.err)

    def test_an_unknown_section(self) -> None:
        self.refused("-s", "nettwork.mode=host", "true")

    def test_an_unknown_value(self) -> None:
        self.refused("-s", "network.mode=everything", "true")

    def test_an_unknown_key_in_a_file_names_file_and_line(self) -> None:
        path = self.profile("[profile]\ndescription = x\n\n[home]\nmoode = empty\n")
        self.assertIn(f"{path}:5", self.refused("-p", path, "true").err)

    def test_an_unknown_option(self) -> None:
        self.refused("--no-such-option", "true")

    def test_an_unknown_option_of_a_command(self) -> None:
        for command in ("list", "top", "show", "explain", "lint", "audit", "doctor", "diff", "stop"):
            self.refused(command, "--jsn")

    def test_limits_in_which_nothing_starts_name_the_line(self) -> None:
        for key, less, least in (("open-files", "15", "16"), ("tasks", "1", "2"), ("address-space", "15M", "16M")):
            with self.subTest(key=key):
                path = self.profile(f"[limits]\n{key} = {less}\n")
                self.assertIn(f"{path}:2: limits.{key} = {less}: ", self.refused("-p", path, "true").err)
                self.assertEqual(self.sbox("-s", f"limits.{key}={least}", "true").status, 0)

    def test_too_few_files_of_the_caller_come_with_what_to_do(self) -> None:
        result = self.account.run(["/bin/sh", "-c", 'ulimit -n 10; exec "$0" true', str(SBOX)])
        self.assertEqual((result.status, result.out), (125, ""), result)
        self.assertRegex(result.err, r"\Asbox: .*Too many open files \(.*ulimit -n 1024.*\)\n\Z")

    def test_more_mounts_than_the_caller_has_files_are_made_and_the_program_has_the_callers_limit(self) -> None:
        many = 200
        directories = [self.directory(f"many-{number}") for number in range(many)]
        path = self.profile("[files]\nread-only =\n" + "".join(f"  {each}\n" for each in directories))
        script = 'ulimit -Sn 100; exec "$0" -q -p "$1" -- sh -c "ulimit -Sn; ulimit -Hn; ls -d $2/many-* | wc -l"'
        result = self.account.run(["/bin/sh", "-c", script, str(SBOX), str(path), str(directories[0].parent)])
        hard = self.account.run(["/bin/sh", "-c", "ulimit -Hn"]).out
        self.assertEqual((result.status, result.out), (0, f"100\n{hard}{many}\n"), result)

    def test_no_program(self) -> None:
        result = self.sbox("--")
        self.assertEqual(result.status, 125, result)

    def test_a_profile_file_that_others_could_write(self) -> None:
        path = self.profile("[profile]\ndescription = x\n", "open")
        os.chmod(path, 0o666)
        self.refused("-p", path, "true")

    def test_no_display_for_firefox(self) -> None:
        self.refused("firefox")

    def test_an_error_with_control_characters_in_it_stays_one_harmless_line(self) -> None:
        result = self.refused("-p", "x\x1b[2K\nfake", "true")
        self.assertNotIn("\x1b", result.err)

    def test_sbox_s_own_directories_cannot_be_granted(self) -> None:
        for path in (".config/sbox", ".config/sbox/profiles", ".local/share/sbox", ".local/share/sbox/homes/x"):
            for key in ("files.read-only", "files.read-write", "home.keep"):
                with self.subTest(path=path, key=key):
                    self.refused("-s", f"{key}+=~/{path}", "true")
        self.refused("-s", "files.read-only+=/etc/sbox", "true")

    def test_paths_with_dots_and_magic_links_are_refused(self) -> None:
        for path in ("/usr/../etc/shadow", "relative/path", "/proc/self/root", "/proc/self/cwd"):
            with self.subTest(path=path):
                self.refused("-s", f"files.read-only+={path}", "true")

    def test_a_bare_profile_name_is_not_looked_for_in_the_current_directory(self) -> None:
        self.file("mine.profile", "[network]\nmode = host\n")
        self.file("mine", "[network]\nmode = host\n")
        self.refused("-p", "mine", "true", cwd=str(self.work))


class StartsNothing(SystemTest):
    def test_dry_run_prints_the_plan_as_json(self) -> None:
        marker = self.file("marker")
        result = self.sbox("--dry-run", "-s", f"files.read-write+={marker}", "--", "sh", "-c", f"echo x >{marker}")
        self.assertEqual(result.status, 0, result)
        plan = json.loads(result.out)
        self.assertEqual(plan["argv"][-1], f"echo x >{marker}")
        self.assertEqual(marker.read_bytes(), b"")

    def test_version_and_help_start_nothing_and_succeed(self) -> None:
        for option in ("--version", "--help"):
            with self.subTest(option=option):
                result = self.sbox(option)
                self.assertEqual(result.status, 0, result)
                self.assertTrue(result.out.strip(), result)

    def test_each_command_says_how_it_is_called(self) -> None:
        for word in ("list", "join", "stop", "top", "show", "explain", "lint", "audit", "edit", "learn", "log", "doctor"):
            for option in ("-h", "--help"):
                result = self.sbox(word, option)
                self.assertEqual((result.status, result.err), (0, ""), result)
                self.assertTrue(result.out.startswith(f"usage: sbox {word} "), result)

    def test_the_value_of_an_option_of_a_command_may_follow_an_equals_sign(self) -> None:
        for words in (["audit", "--threshold", "1", "firefox"], ["audit", "--threshold=1", "firefox"]):
            self.assertEqual(self.sbox(*words).status, 1)
        for words in (["audit", "--threshold=999", "firefox"], ["audit", "firefox", "--threshold=999"]):
            self.assertEqual(self.sbox(*words).status, 0)
        for words in (["audit", "--threshold=", "firefox"], ["audit", "--thresholds=9", "firefox"], ["stop", "--time=x", "name"]):
            self.refused(*words)
        self.assertIn("no running sandbox", self.refused("stop", "--time=1", "nobody").err)

    def test_verbose_says_what_was_decided(self) -> None:
        path = self.profile("[home]\nmode = private\n", "decided")
        result = self.sbox("-v", "-p", path, "--name", "some", "true")
        self.assertIn(
            f"sbox: /usr/bin/true as some, by profile decided ({path}): home private, network none\n", result.err
        )

    def test_what_is_not_written_is_not_a_success(self) -> None:
        commands = [["--help"], ["--version"], ["--dry-run", "true"], ["list"], ["list", "--json"], ["top"], ["show", "firefox"],
                    ["explain", "viewer"], ["audit"], ["doctor", "--json"], ["enable", "--list"], ["lint"], ["list", "--help"]]
        for words in commands:
            with self.subTest(words=words), open("/dev/full", "wb") as full:
                result = self.sbox(*words, stdout=full)
                self.assertEqual(result.status, 125, result)
                line = "sbox: standard output: No space left on device (not all of it was written)\n"
                self.assertTrue(result.err.endswith(line), result)
        reader, writer = os.pipe()
        os.close(reader)
        result = self.sbox("show", "firefox", stdout=writer, restore_signals=False)
        os.close(writer)
        self.assertEqual(result.status, 125, result)
        self.assertIn("sbox: standard output: Broken pipe", result.err)
        result = self.account.run(["/bin/sh", "-c", 'exec "$0" show firefox >&-', str(SBOX)])
        self.assertEqual(result.status, 125, result)
        self.assertEqual(result.err, "sbox: standard output: Bad file descriptor (not all of it was written)\n")

    def test_every_shipped_profile_passes_lint(self) -> None:
        result = self.sbox("lint")
        self.assertEqual(result.status, 0, result)

    def test_lint_finds_what_is_wrong(self) -> None:
        path = self.profile("[profile]\ndescription = x\n[nettwork]\nmode = host\n", "wrong")
        result = self.sbox("lint", path)
        self.assertNotEqual(result.status, 0, result)
        self.assertIn(f"{path}:", result.out + result.err)

    def test_lint_finds_what_would_refuse_the_start(self) -> None:
        for section, line, part in (
            ("seccomp", "allow = ptrac", "unknown system call or group 'ptrac' (did you mean ptrace?)"),
            ("environment", "keep = LD_PRELOAD", "'LD_PRELOAD': makes programs load code"),
            ("home", "size = 10M\nmode = private", "files on a disk take no such limit"),
            ("home", "overlay = a/b\nmode = overlay", "not a name for an overlay"),
            ("home", "keep = ~/x, ~", "'~': does not lie below the home directory"),
            ("home", "keep-read-only = ${HOME}", "does not lie below the home directory"),
            ("limits", "swap = 1G", "there is no limit of memory"),
            ("limits", "nice = 20", "is more than 19"),
            ("desktop", "app-id = a..b", "is not the name of an application"),
            ("network", "bandwidth = 1M up\nmode = host", "cannot be enforced on the host's network"),
            ("network", "connect = example.org\nmode = host", "only ports can be enforced on the host's network"),
            ("network", "connect = example.org\nmode = private\nproxy = http://localhost:80", "goes past the proxy"),
            ("network", "forward = 80:80, 80:81\nmode = private", "port 80 of this machine leads to port 80 already"),
            ("process", "write-xor-execute = yes\n[seccomp]\nmode = none", "without a filter of system calls"),
            ("files", "read-only = /proc/sys", "'/proc/sys': would change the sandbox as a whole"),
            ("files", "hide = /", "'/': would change the sandbox as a whole"),
            ("files", "tmpfs = /etc", "'/etc': would change the sandbox as a whole"),
            ("files", "read-write = /etc/sbox/profiles", "'/etc/sbox/profiles': holds the rules of sbox itself"),
        ):
            with self.subTest(line=line):
                path = self.profile(f"[profile]\ndescription = x\n[{section}]\n{line}\n")
                result = self.sbox("lint", path)
                self.assertEqual(result.status, 1, result)
                self.assertIn(f"{path}:4: error: ", result.out)
                self.assertIn(part, result.out)
                self.refused("-p", path, "true")

    def test_lint_finds_devices_that_no_sandbox_has(self) -> None:
        path = self.profile("[profile]\ndescription = x\n[devices]\nallow = /dev/mem, /dev/fuse\n[home]\nkeep = ~/.config/sbox\n")
        result = self.sbox("lint", path)
        self.assertEqual(result.status, 1, result)
        for line in ("4: error: device '/dev/mem': is the machine itself", "6: error: read-write = '~/.config/sbox': holds the rules"):
            self.assertIn(f"{path}:{line}", result.out)
        self.assertEqual(len(result.out.splitlines()), 2, result)

    def test_a_profile_for_the_current_directory_can_be_explained_anywhere(self) -> None:
        there = self.sbox("explain", "agent", cwd=str(self.work))
        self.assertIn(str(self.work).replace(str(self.account.home), "~"), there.out)
        for thing in ([], ["/etc/passwd"]):
            result = self.sbox("explain", "agent", *thing, cwd=str(self.account.home))
            self.assertEqual(result.status, 0, result)
            self.assertIn("${CWD}: the current directory holds the whole home", result.out)

    def test_show_prints_the_effective_profile_with_origins(self) -> None:
        result = self.sbox("show", "firefox")
        self.assertEqual(result.status, 0, result)
        self.assertIn("nested-sandbox", result.out)
        self.assertRegex(result.out, r"lib/browser\.profile:\d+")

    def test_explain_says_in_words_what_a_profile_gives(self) -> None:
        result = self.sbox("explain", "agent", cwd=str(self.work))
        self.assertEqual(result.status, 0, result)
        self.assertTrue(result.out.strip(), result)

    def test_doctor_finds_that_this_host_can_run_sandboxes(self) -> None:
        result = self.sbox("doctor")
        self.assertEqual(result.status, 0, result)

    def test_every_shipped_profile_makes_a_plan(self) -> None:
        profiles = sorted(path.stem for path in (SBOX.parents[1] / "share/sbox/profiles").glob("*.profile"))
        self.assertTrue(profiles)
        for name in profiles:
            with self.subTest(profile=name):
                drop = ["-s", "display.x11=no", "-s", "display.wayland=no"]
                result = self.sbox("--dry-run", "-p", name, *drop, "--", "true", cwd=str(self.work))
                self.assertEqual(result.status, 0, result)


if __name__ == "__main__":
    unittest.main()
