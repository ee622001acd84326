"""resolv.conf inside says what the host's says, from the first moment and whenever that changes."""

from __future__ import annotations

import os
import pathlib
import subprocess

from account import SBOX
from harness import SystemTest, wait_for

# A mount namespace in which /etc can be changed without the machine noticing. Then sbox runs as the user, and a line on
# standard input makes the host's file another one, by rename as network managers do. The program keeps sbox busy.
STAGE = """
set -e
mkdir "$1/upper" "$1/work"
mount -t overlay overlay -o "lowerdir=/etc,upperdir=$1/upper,workdir=$1/work" /etc
printf 'nameserver 192.0.2.1\\n# longer than the next\\n' >/etc/resolv.new && mv /etc/resolv.new /etc/resolv.conf
setpriv --reuid "$2" --regid "$3" --clear-groups env -i PATH=/usr/bin:/bin HOME="$4" "$5" -s network.mode=host -- \
  sh -c 'cat /etc/resolv.conf; for turn in $(seq 200); do echo still >&2
  test "$(cat /etc/resolv.conf)" != "nameserver 192.0.2.2" || break; sleep 0.05; done; cat /etc/resolv.conf' &
read line
echo 'nameserver 192.0.2.2' >/etc/resolv.new && mv /etc/resolv.new /etc/resolv.conf
wait $!
"""


class Resolver(SystemTest):
    def setUp(self) -> None:
        super().setUp()
        self.root_only()

    def test_the_copy_follows_the_host_s_file(self) -> None:
        stage = pathlib.Path(self.account.base) / "stage"
        subprocess.run(["mkdir", stage], check=True)
        who = [str(stage), str(self.account.uid), str(self.account.gid), str(self.account.home), str(SBOX)]
        argv = ["unshare", "--mount", "--propagation", "private", "sh", "-c", STAGE, "sh", *who]
        pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        with subprocess.Popen(argv, **pipes, text=True, env=os.environ) as child:
            assert child.stdin and child.stdout
            self.assertEqual([child.stdout.readline() for _ in range(2)], ["nameserver 192.0.2.1\n", "# longer than the next\n"])
            child.stdin.write("change\n")
            child.stdin.flush()
            self.assertEqual(child.stdout.read(), "nameserver 192.0.2.2\n")  # and nothing of what it was
            wait_for(lambda: child.poll() is not None, what="the end")
            self.assertEqual(child.returncode, 0)
