"""The map of HACKING.md: every folder of src is in it, and includes nothing of another that its row does not allow."""

from __future__ import annotations

import re
import unittest

from account import ROOT

INCLUDE = re.compile(r'^#include "(\w+)/(\w+\.h)"', re.MULTILINE)


def rooms() -> dict[str, str]:
    """What each folder may include, as its row says."""
    rows = re.findall(r"^\| src/(\w+) \|.*\| ([^|]+) \|$", (ROOT / "HACKING.md").read_text(), re.MULTILINE)
    return {name: allowed.replace("`", "") for name, allowed in rows}


def may_include(allowed: str, room: str, header: str) -> bool:
    if allowed.startswith("all but "):
        return room not in allowed
    if f"{room}/{header}" in allowed:
        return True
    # ROOM, or ROOM (HEADERS) where these are named.
    named = re.search(rf"\b{room}\b(?!/)[^,;(]*(?:\(([^)]*)\))?", allowed)
    return named is not None and (".h" not in (named[1] or "") or header in named[1].split(", "))


class Rooms(unittest.TestCase):
    def test_every_folder_is_on_the_map(self) -> None:
        self.assertEqual(sorted(rooms()), sorted(each.name for each in (ROOT / "src").iterdir() if each.is_dir()))

    def test_arrows_go_where_the_map_says(self) -> None:
        arrows = 0
        for room, allowed in rooms().items():
            for source in sorted((ROOT / "src" / room).iterdir()):
                for other, header in INCLUDE.findall(source.read_text()):
                    arrows += other != room
                    with self.subTest(source=f"{room}/{source.name}", includes=f"{other}/{header}"):
                        self.assertTrue(other == room or may_include(allowed, other, header), allowed)
        self.assertGreater(arrows, 500)


if __name__ == "__main__":
    unittest.main()
