"""`sbox audit` and `sbox edit`: profiles are weighed, and changed without ever being broken."""

from __future__ import annotations

import json
import pathlib
import shutil
import unittest

from account import Result
from harness import SystemTest


class Audit(SystemTest):
    def test_a_score_has_its_reasons_each_with_its_line(self) -> None:
        profile = self.profile("[profile]\ndescription = x\n[network]\nmode = host\n")
        result = self.sbox("audit", "--json", profile)
        self.assertEqual(result.status, 0, result)
        audit = json.loads(result.out)["profiles"][0]
        self.assertEqual(audit["score"], sum(reason["points"] for reason in audit["reasons"]))
        self.assertEqual(audit["reasons"][0]["origin"], f"{profile}:4")
        self.assertIn(f"test: {audit['score']}, {audit['rating']}", self.sbox("audit", profile).out)

    def test_above_the_threshold_it_fails(self) -> None:
        score = json.loads(self.sbox("audit", "--json", "firefox").out)["profiles"][0]["score"]
        self.assertGreater(score, 0)
        self.assertEqual(self.sbox("audit", "--threshold", str(score), "firefox").status, 0)
        self.assertEqual(self.sbox("audit", "--threshold", str(score - 1), "firefox").status, 1)

    def test_without_a_name_it_is_of_all_profiles(self) -> None:
        names = self.sbox("show").out.split()
        self.assertEqual([each["profile"] for each in json.loads(self.sbox("audit", "--json").out)["profiles"]], names)
        self.assertEqual([line.split(":")[0] for line in self.sbox("audit").out.splitlines()], names, "a line for each")
        self.assertEqual(self.sbox("audit", "--threshold", "0").status, 1)

    def test_mistakes_are_told(self) -> None:
        for arguments in (["--threshold"], ["--threshold", "x"], ["--threshold", "-1"], ["--yaml"], ["no-such"]):
            with self.subTest(arguments):
                self.refused("audit", *arguments)


class Edit(SystemTest):
    """As the user of a home of its own: profiles are looked for in the home that the user database names."""

    def setUp(self) -> None:
        super().setUp()
        self.folder = pathlib.Path(f"~{self.account.name}").expanduser() / ".config/sbox/profiles/evince.profile.d"
        self.drop_in, self.draft = self.folder / "local.conf", self.folder / "local.conf.edit"
        self.remove()
        self.addCleanup(self.remove)

    def remove(self) -> None:
        for path in (self.drop_in, self.draft):
            path.unlink(missing_ok=True)

    def edit(self, script: str, profile: str = "evince") -> Result:
        """With an editor that is a shell script, which has the file as $1."""
        editor = self.file("editor", f"#!/bin/sh\n{script}\n", 0o755)
        return self.sbox("edit", profile, env={"EDITOR": str(editor), "VISUAL": ""})

    def test_what_is_written_is_in_force(self) -> None:
        seen = self.work / "seen"
        result = self.edit(f"cp $1 {seen}; printf '[network]\\nmode = host\\n' > $1")
        self.assertEqual(result.status, 0, result)
        self.assertEqual(self.drop_in.read_text(), "[network]\nmode = host\n")
        self.assertFalse(self.draft.exists())
        self.assertIn("\n# [profile]\n", seen.read_text())
        self.assertIn(f"{self.drop_in}:2", self.sbox("explain", "evince", "network").out)
        # The next time what was written is above the comments, and they are not kept.
        self.assertEqual(self.edit(f"cp $1 {seen}; sed -i s/host/none/ $1").status, 0)
        self.assertTrue(seen.read_text().startswith("[network]\nmode = host\n\n# ----"), seen.read_text())
        self.assertEqual(self.drop_in.read_text(), "[network]\nmode = none\n")

    def test_an_element_of_the_profile_is_taken_out(self) -> None:
        self.assertIn("\n  gtk-2.0\n", self.sbox("show", "evince").out, "the control")
        self.assertEqual(self.edit("printf '[system]\\netc -= gtk-2.0\\n' > $1").status, 0)
        shown = self.sbox("show", "evince").out
        self.assertNotIn("\n  gtk-2.0\n", shown)
        self.assertIn(f"\n# {self.drop_in}:2 takes out gtk-2.0\n", shown)
        self.assertEqual(self.sbox("lint", str(self.drop_in)).out, "")
        result = self.edit("printf '[system]\\netc -= gtk-9.0\\n' > $1")
        self.assertEqual(result.status, 1, result)
        self.assertRegex(result.err, rf"(?m)^{self.drop_in}:2: error: system.etc = gtk-9.0: is not in the list \(did you mean gtk-")
        self.assertIn("gtk-2.0", self.drop_in.read_text())

    def test_what_is_wrong_is_told_and_not_in_force(self) -> None:
        good = "[network]\nmode = host\n"
        for before in ("", good):
            for bad in ("[network]\nmoode = host\n", "[nettwork]\n", "[network]\nmode = hots\n", "[home\n", "[home]\nkeep = ~/.config/sbox, /x/..\n",
                        "[system]\netc -= gtk-9.0\n"):
                with self.subTest(before=before, bad=bad):
                    self.remove()
                    if before:
                        self.edit(f"printf '{good}' > $1".replace("\n", "\\n"))
                    content = self.file("content", bad)
                    result = self.edit(f"cat {content} > $1")
                    self.assertEqual(result.status, 1, result)
                    self.assertRegex(result.err, rf"(?m)^{self.drop_in}:\d+: error: ")
                    self.assertIn("Not in force", result.err)
                    self.assertEqual(self.drop_in.read_text() if self.drop_in.exists() else "", before)
                    self.assertEqual(self.draft.read_text(), bad)
                    self.assertEqual(self.sbox("show", "evince").status, 0)

    def test_nothing_changes_where_nothing_was_written(self) -> None:
        for script in ("true", "echo '# a thought' >> $1"):
            with self.subTest(script):
                result = self.edit(script)
                self.assertEqual((result.status, result.err), (0, "Nothing was changed.\n"))
                self.assertEqual([path.exists() for path in (self.drop_in, self.draft)], [False, False])

    def test_an_editor_that_fails_changes_nothing(self) -> None:
        result = self.edit("echo '[network]' > $1; exit 1")
        self.assertEqual(result.status, 125, result)
        self.assertFalse(self.drop_in.exists())
        self.assertEqual(self.draft.read_text(), "[network]\n", "what was written is kept")
        self.draft.unlink()
        self.assertEqual(self.edit("exit 1").status, 125)
        self.assertFalse(self.draft.exists())

    def test_what_was_not_in_force_is_gone_on_with(self) -> None:
        self.assertEqual(self.edit("printf '[network]\\nmode = hots\\n' > $1").status, 1)
        self.assertEqual(self.edit("true").status, 1, "it is as wrong as before, and not gone")
        self.assertEqual(self.edit("exit 1").status, 125)
        self.assertIn("mode = hots", self.draft.read_text())
        result = self.edit("sed -i s/hots/host/ $1")
        self.assertEqual(result.status, 0, result)
        self.assertIn(str(self.draft), result.err)
        self.assertEqual((self.drop_in.read_text(), self.draft.exists()), ("[network]\nmode = host\n", False))

    def test_an_editor_that_leaves_no_file_changes_nothing(self) -> None:
        good = "[network]\nmode = host\n"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.account.file(self.drop_in, good)
        self.assertEqual(self.edit("rm $1").status, 125)
        self.assertEqual(self.drop_in.read_text(), good)

    def test_a_warning_is_told_and_does_not_hinder(self) -> None:
        result = self.edit("printf '[dbus]\\nsession = full\\n' > $1")
        self.assertEqual(result.status, 0, result)
        self.assertIn("warning: ", result.err)
        self.assertTrue(self.drop_in.exists())

    def test_a_block_is_changed_in_the_same_way(self) -> None:
        drop_in = self.folder.parent / "lib/viewer.profile.d/local.conf"
        self.addCleanup(shutil.rmtree, drop_in.parent, ignore_errors=True)
        result = self.edit("printf '[network]\\nmode = host\\n' > $1", "lib/viewer")
        self.assertEqual(result.status, 0, result)
        self.assertEqual(drop_in.read_text(), "[network]\nmode = host\n")
        self.assertIn(f"{drop_in}:2", self.sbox("explain", "evince", "network").out)
        self.assertEqual(self.edit("printf '[nettwork]\\n' > $1", "lib/viewer").status, 1)
        self.assertEqual(drop_in.read_text(), "[network]\nmode = host\n")
        for command in (["show"], ["lint"], ["explain"], ["audit"]):
            with self.subTest(command):
                self.assertEqual(self.sbox(*command, "lib/viewer").status, 0)

    def test_there_must_be_such_a_profile(self) -> None:
        for name in ("no-such-profile", "lib/no-such-block", "../x", "/etc/passwd", ""):
            with self.subTest(name):
                self.assertEqual(self.edit("true", name).status, 125)


if __name__ == "__main__":
    unittest.main()
