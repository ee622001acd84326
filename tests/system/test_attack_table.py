"""tests/attacks.tsv: every row of the list is held by tests that exist, or does not apply for a reason that is given. And
what `make mutate` takes out is where it says."""

from __future__ import annotations

import importlib
import subprocess
import sys
import unittest

from account import BUILD, ROOT

sys.path.insert(0, str(ROOT / "tests" / "mutate"))
from mutations import MUTATIONS  # noqa: E402

ROWS = 222


class Table(unittest.TestCase):
    def rows(self) -> list[list[str]]:
        lines = (ROOT / "tests" / "attacks.tsv").read_text().splitlines()
        return [(line + "\t\t\t").split("\t")[:4] for line in lines if line and not line.startswith("#")]

    def test_each_row_is_there_once(self) -> None:
        numbers = [int(row[0]) for row in self.rows()]
        self.assertEqual(numbers, sorted(set(numbers)))
        self.assertEqual(len(numbers), ROWS)

    def test_none_is_open_and_none_is_left_out_without_a_reason(self) -> None:
        for number, state, tests, reason in self.rows():
            with self.subTest(row=number):
                self.assertIn(state, ("held", "n/a"))
                self.assertTrue(tests if state == "held" else reason)

    def test_each_mutation_finds_its_text_once(self) -> None:
        for mutation in MUTATIONS:
            for edit in mutation.edits:
                with self.subTest(mutation=mutation.name):
                    self.assertEqual((ROOT / edit.file).read_text().count(edit.old), 1, edit.old)

    def test_the_tests_exist(self) -> None:
        unit = self.unit_tests()
        for number, _, tests, _ in self.rows():
            for name in filter(None, (each.strip() for each in tests.split(","))):
                with self.subTest(row=number, test=name):
                    self.assertTrue(name.removeprefix("unit ") in unit if name.startswith("unit ") else self.exists(name))

    def exists(self, name: str) -> bool:
        module, _, rest = name.partition(".")
        found = importlib.import_module(module)
        for part in filter(None, rest.split(".")):
            found = getattr(found, part, None)
        return found is not None

    def unit_tests(self) -> set[str]:
        """SUITE.TEST of the GoogleTest program, without instantiations and parameters; suites by themselves too."""
        listing = subprocess.run([BUILD / "tests" / "unit", "--gtest_list_tests"], capture_output=True, check=True)
        names, suite = set(), ""
        for line in listing.stdout.decode(errors="replace").splitlines():
            if not line.startswith(" "):
                suite = line.split(" ")[0].rstrip(".").split("/")[-1]
                names.add(suite)
            else:
                names.add(f"{suite}.{line.split('#')[0].strip().split('/')[0]}")
        return names
