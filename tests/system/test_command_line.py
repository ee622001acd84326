"""The command line: arguments, exit statuses, errors, and the subcommands that start nothing."""

from __future__ import annotations

import json
import os
import unittest

from account import SBOX
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

    def test_what_cannot_be_executed_is_126(self) -> None:
        path = self.file("plain", "text\n", 0o644)
        self.refused("-s", f"files.read-only+={path}", "--", str(path), status=126)

    def test_a_directory_is_not_a_program(self) -> None:
        self.refused("/usr", status=126)


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

    def test_every_shipped_profile_passes_lint(self) -> None:
        result = self.sbox("lint")
        self.assertEqual(result.status, 0, result)

    def test_lint_finds_what_is_wrong(self) -> None:
        path = self.profile("[profile]\ndescription = x\n[nettwork]\nmode = host\n", "wrong")
        result = self.sbox("lint", path)
        self.assertNotEqual(result.status, 0, result)
        self.assertIn(f"{path}:", result.out + result.err)

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
