"""Attack suite, starts: what is executed and with which libraries, and what the caller's environment and arguments do."""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess

from account import SBOX, Result
from attack import DEFAULT, NESTED, SHIPPED, AttackTest
from attack_stage import staged
from desktop import session_bus
from harness import probe

CANARY = "sbox-canary-7c31"
NO_CAPABILITY = "0" * 9
# Secrets, sockets of agents, and what makes loaders and interpreters run code.
VARIABLES = (
    "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AZURE_CLIENT_SECRET", "GITHUB_TOKEN", "GH_TOKEN", "GITLAB_TOKEN",
    "NPM_TOKEN", "OPENAI_API_KEY", "VAULT_TOKEN", "KUBECONFIG", "DOCKER_HOST", "DOCKER_AUTH_CONFIG", "PGPASSWORD",
    "RESTIC_PASSWORD", "SSH_AUTH_SOCK", "SSH_AGENT_PID", "SSH_ASKPASS", "GPG_AGENT_INFO", "GNUPGHOME", "SUDO_ASKPASS",
    "SESSION_MANAGER", "ICEAUTHORITY", "XAUTHORITY", "WAYLAND_SOCKET", "AT_SPI_BUS_ADDRESS", "IBUS_ADDRESS",
    "PULSE_COOKIE",
    "DBUS_SYSTEM_BUS_ADDRESS", "DBUS_STARTER_ADDRESS", "TMUX", "STY", "NVIM", "VSCODE_IPC_HOOK_CLI", "INVOCATION_ID",
    "JOURNAL_STREAM", "NOTIFY_SOCKET", "LISTEN_FDS", "CREDENTIALS_DIRECTORY", "HTTP_PROXY", "ALL_PROXY", "OLDPWD",
    "LD_LIBRARY_PATH", "LD_DEBUG_OUTPUT", "GLIBC_TUNABLES_", "LOCPATH", "NLSPATH", "MALLOC_TRACE", "HOSTALIASES",
    "PYTHONPATH", "PYTHONSTARTUP", "PYTHONHOME", "PERL5LIB", "PERL5OPT", "RUBYOPT", "RUBYLIB", "NODE_OPTIONS",
    "NODE_PATH", "JAVA_TOOL_OPTIONS", "CLASSPATH", "LUA_INIT", "BASH_ENV", "ENV", "PROMPT_COMMAND", "PS4", "SHELLOPTS",
    "CDPATH", "GTK_MODULES", "GTK_PATH", "GIO_EXTRA_MODULES", "GDK_PIXBUF_MODULE_FILE", "GST_PLUGIN_PATH",
    "QT_PLUGIN_PATH", "QT_QPA_PLATFORMTHEME", "QML2_IMPORT_PATH", "VK_ICD_FILENAMES", "LIBGL_DRIVERS_PATH", "EDITOR",
    "BROWSER", "PAGER", "LESSOPEN", "GIT_SSH_COMMAND", "GIT_EXTERNAL_DIFF", "XDG_CONFIG_HOME", "XDG_CONFIG_DIRS",
)  # fmt: skip
TELL_ENVIRONMENT = "env; cat /proc/[0-9]*/environ 2>/dev/null; cat /proc/[0-9]*/cmdline; true"
# On mounts that are writable and noexec, neither the file itself nor the loader on its behalf runs; elsewhere both do.
NOEXEC = """
set -- /lib64/ld-linux*.so.? /lib/ld-linux*.so.?
for loader; do [ -x "$loader" ] && break; done
while read -r _ _ _ _ point flags _; do
  case ,$flags, in *,ro,*) continue;; *,noexec,*) word=noexec;; *) word=exec;; esac
  [ -d "$point" ] && cp /bin/true "$point/program" 2>/dev/null || continue
  "$point/program" 2>/dev/null && echo "$word itself $point"
  "$loader" "$point/program" 2>/dev/null && echo "$word loader $point"
  echo "tried $word"
done </proc/self/mountinfo
"""
LOADER = """
cd /etc
for file in ld.so.cache ld.so.conf ld.so.preload ld.so.conf.d/x.conf nsswitch.conf /usr/lib/x.so /lib/x.so /lib64/x.so; do
  (echo x >>$file) 2>/dev/null && echo "wrote $file"
  rm -f $file 2>/dev/null; mv -f /etc/hosts $file 2>/dev/null && echo "replaced $file"
done
mv /etc /etc.old 2>/dev/null && echo "moved /etc"
ln -sf /tmp/x /etc/ld.so.preload 2>/dev/null && echo linked
[ -s /etc/ld.so.cache ] && echo readable
"""
CORE = """
ulimit -Hc; cd; sh -c 'kill -ABRT $$' 2>/dev/null
cd -; sh -c 'kill -SEGV $$' 2>/dev/null
ls ~/*core* *core* 2>/dev/null; true
"""
PRELOADED = """
#include <fcntl.h>
#include <unistd.h>
static void __attribute__((constructor)) mark(void) {
  int fd = open(MARKER, O_WRONLY | O_CREAT | O_APPEND, 0666);
  if (fd >= 0) close(fd);
}
"""


class Execution(AttackTest):
    def test_files_with_set_id_bits_or_capabilities_give_nothing(self) -> None:
        self.root_only()
        gain = probe("attack_d_gain")
        folder = self.account.base / "gain"
        folder.mkdir()
        names = ("plain", "user", "group", "capable")
        for name in names:
            shutil.copy(gain, folder / name)
        (folder / "user").chmod(0o4755)
        (folder / "group").chmod(0o2755)
        subprocess.run(["/usr/sbin/setcap", "cap_net_raw,cap_sys_admin+ep", str(folder / "capable")], check=True)
        script = f"for name in {' '.join(names)}; do {folder}/$name; done"
        outside = self.outside("/bin/sh", "-c", script).out.splitlines()
        self.assertTrue(outside[0].endswith(" " + NO_CAPABILITY), outside)
        self.assertNotIn(outside[0], outside[1:], "the control")
        for circumstance in [*self.circumstances(), NESTED]:
            with self.subTest(circumstance.name):
                grant = ("-s", f"files.read-only+={folder}")
                lines = self.attack(circumstance, "/bin/sh", "-c", script, options=grant).out.splitlines()
                self.assertEqual(lines, [lines[0]] * len(names))
                self.assertTrue(lines[0].endswith(" " + NO_CAPABILITY), lines)

    def test_what_the_loader_reads_cannot_be_changed(self) -> None:
        for circumstance in self.circumstances():
            with self.subTest(circumstance.name):
                self.assertEqual(self.attack(circumstance, "/bin/sh", "-c", LOADER).out, "readable\n")

    def test_where_nothing_may_be_executed_the_loader_does_not_either(self) -> None:
        for circumstance in (DEFAULT, *SHIPPED[:2]):
            with self.subTest(circumstance.name):
                lines = self.attack(circumstance, "/bin/sh", "-c", NOEXEC).out.splitlines()
                self.assertIn("exec loader /tmp", lines, "the control")
                self.assertIn("exec itself /tmp", lines, "the control")
                self.assertEqual([line for line in lines if line.startswith(("noexec itself", "noexec loader"))], [])

    def test_a_crash_leaves_no_memory_behind(self) -> None:
        for circumstance in self.circumstances():
            with self.subTest(circumstance.name):
                out = self.attack(circumstance, "/bin/sh", "-c", CORE, cwd=str(self.directory("project"))).out
                limit, *cores = [line for line in out.splitlines() if not line.startswith("/")]
                self.assertIn(limit, ("0", "1"))
                self.assertEqual(cores, [])
        self.assertEqual(list((self.work / "project").iterdir()), [])

    def test_a_crash_that_a_socket_takes_has_no_memory_in_it(self) -> None:
        """Of a core_pattern with @ the kernel asks for no limit: what it would write is what this file says."""
        look = "cat /proc/self/coredump_filter"
        for circumstance in self.circumstances():
            with self.subTest(circumstance.name):
                self.assertEqual(self.attack(circumstance, "sh", "-c", look).out, "00000000\n")
        self.assertNotEqual(self.inside(look, "-s", "limits.core=1M"), "00000000\n")

    def test_no_format_of_programs_can_be_registered(self) -> None:
        mount = "mount -t binfmt_misc none /proc/sys/fs/binfmt_misc && echo done"
        script = f"unshare --user --map-root-user --mount sh -c '{mount}'; true"
        self.assertEqual(self.inside(f"({script}) 2>/dev/null"), "")
        # Where namespaces are granted: what is registered in one of its own counts for nobody else.
        own = self.inside(f"({script}) 2>/dev/null; cat /proc/sys/fs/binfmt_misc/status 2>/dev/null; true",
                          *NESTED.options)  # fmt: skip
        self.assertIn(own, ("", "done\n"))


class Libraries(AttackTest):
    """What the caller puts in front of programs: libraries to load, and other programs of the same name."""

    def setUp(self) -> None:
        super().setUp()
        self.env = self.enterContext(session_bus(self.account))
        self.open_directory = self.directory("open", 0o777)
        self.marker = self.open_directory / "marker"
        self.filtered = ["-s", "dbus.session=filtered", "-s", f"files.read-only+={self.open_directory}"]

    def test_a_library_of_the_caller_is_loaded_by_nothing(self) -> None:
        source = self.file("mark.c", PRELOADED.replace("MARKER", f'"{self.marker}"'))
        library = self.open_directory / "mark.so"
        compiler = os.environ.get("CC", "cc")
        subprocess.run([compiler, "-shared", "-fPIC", "-o", str(library), str(source)], check=True)
        for name in ("LD_PRELOAD", "LD_AUDIT"):
            with self.subTest(variable=name):
                env = {**self.env, name: str(library)}
                self.marker.unlink(missing_ok=True)
                self.outside("/usr/bin/xdg-dbus-proxy", "--version", env={name: str(library)})
                self.assertTrue(self.marker.exists(), "the control")
                self.marker.unlink()
                # In the sandbox the directory is writable: the marker would come through from there, too.
                options = [*self.filtered[:2], "-s", f"files.read-write+={self.open_directory}"]
                result = self.sbox(*options, "--", "/bin/true", env=env)
                self.assertEqual(result.status, 0, result)
                self.assertFalse(self.marker.exists())

    def test_helpers_and_programs_are_not_looked_for_where_the_sandbox_writes(self) -> None:
        for name in ("xdg-dbus-proxy", "getent", "xauth", "pasta", "newuidmap", "ldconfig", "sbox-launch", "sh"):
            self.file(f"open/{name}", f"#!/bin/sh\n: >>{self.marker}\nexit 0\n", 0o755)
        self.outside(str(self.open_directory / "getent"))
        self.assertTrue(self.marker.exists(), "the control")
        self.marker.unlink()
        for path in (f"{self.open_directory}:/usr/bin:/bin", ".:/usr/bin:/bin", ":/usr/bin:/bin"):
            with self.subTest(path=path):
                result = self.sbox(*self.filtered, "--", "sh", "-c", "echo real", env={**self.env, "PATH": path},
                                   cwd=str(self.open_directory))  # fmt: skip
                self.assertEqual((result.status, result.out), (0, "real\n"), result)
                self.assertFalse(self.marker.exists())

    def test_a_helper_that_ends_at_once_refuses_the_start(self) -> None:
        self.root_only()
        self.assertEqual(self.with_proxy("").out, "started\n")
        result = self.with_proxy("xdg-dbus-proxy 0.1.9")
        self.assertEqual((result.status, result.out), (125, ""), result)
        self.assertNotIn("ways around", result.err)

    def test_a_proxy_with_known_holes_refuses_the_start(self) -> None:
        self.root_only()
        remembered = self.account.home / ".local/share/sbox/xdg-dbus-proxy"
        remembered.unlink(missing_ok=True)
        for version, why in (("xdg-dbus-proxy 0.1.3", "0.1.3: ways around"), ("xdg-dbus-proxy 0.1.8", "0.1.8: ways around"),
                             ("something", "of no known version")):
            for _ in range(2):
                result = self.with_proxy(version)
                self.assertEqual((result.status, result.out), (125, ""), result)
                self.assertRegex(result.err, rf"\Asbox: xdg-dbus-proxy: .*{why}.*\n\Z")
            self.assertFalse(remembered.exists())
            self.assertEqual(self.with_proxy("").out, "started\n")
            found = remembered.stat()
            self.assertIn("CVE-", remembered.read_text(), "when more is known it is asked again")
            self.assertEqual(self.with_proxy("").out, "started\n")
            self.assertEqual(remembered.stat().st_ino, found.st_ino, "it is not asked again")
            self.assertRegex(self.with_proxy(version).err, why, "another file is asked")
            remembered.unlink()

    def test_the_package_speaks_for_its_own_proxy_alone(self) -> None:
        self.root_only()
        version = self.outside("/usr/bin/xdg-dbus-proxy", "--version").out.strip()
        proxy = self.account.file(self.work / "proxy", f"#!/bin/sh\necho {version}\n", 0o755)
        setup = "mount --bind /dev/null /usr/bin/xdg-dbus-proxy; mount -t tmpfs -o mode=755 none /usr/local/bin\n"
        setup += f"cp {proxy} /usr/local/bin/xdg-dbus-proxy; chown 0:0 /usr/local/bin/xdg-dbus-proxy"
        result = staged(self.account, setup, str(SBOX), *self.filtered, "--", "echo", "started", env=self.env)
        self.assertEqual((result.status, result.out), (125, ""), result)
        self.assertIn(f"{version.split()[1]}: ways around", result.err)

    def with_proxy(self, version: str) -> Result:
        """A start with the real proxy, or with one that says this of itself and does nothing."""
        setup = ""
        if version:
            proxy = self.account.file(self.work / "proxy", f'#!/bin/sh\n[ "$1" != --version ] || echo {version}\n', 0o755)
            os.chown(proxy, 0, 0)
            setup = f"mount --bind {proxy} /usr/bin/xdg-dbus-proxy"
        return staged(self.account, setup, str(SBOX), *self.filtered, "--", "echo", "started", env=self.env)


class Environment(AttackTest):
    def test_no_secret_and_no_code_of_the_caller_s_environment_is_inside(self) -> None:
        env = {name: f"/{CANARY}/{name}" for name in VARIABLES}
        self.assertEqual(self.outside("env", env=env).out.count(CANARY), len(VARIABLES), "the control")
        for circumstance in self.circumstances():
            with self.subTest(circumstance.name):
                both = circumstance.settings.get("env", {}) | env
                out = self.attack(circumstance, "/bin/sh", "-c", TELL_ENVIRONMENT, env=both).out
                self.assertIn("XDG_RUNTIME_DIR=", out)
                self.assertNotIn(CANARY, out)

    def test_huge_and_odd_variables_change_nothing(self) -> None:
        tell = "readlink /proc/self/ns/net; cut -d' ' -f5,6 /proc/self/mountinfo | grep -v ^/proc/; ls -A / ~ /dev /etc; env"
        normal = self.inside(tell, env={"LANG": "C"}).splitlines()[1:]
        odd = [
            {f"X{number}": "y" * 100_000 for number in range(15)},
            {"TERM": "x\nLD_PRELOAD=/x", "LC_ALL": "\x1b]0;x\x07"},
            {"LANG": "C\n[files]\nread-only = /etc/shadow", "TZ": "/etc/shadow"},
            {"XDG_DATA_DIRS": "/tmp", "XDG_CONFIG_DIRS": "/tmp", "SBOX_PREFIX": "/tmp", "SBOX_PROFILE": "x"},
            {"SHELL": "/nonexistent", "USER": "root", "LOGNAME": "root", "TMPDIR": "/nonexistent"},
        ]
        for env in odd:
            with self.subTest(names=sorted(env)[:3]):
                out = self.inside(tell, env={"LANG": "C"} | env).splitlines()
                self.assertNotEqual(out[0], os.readlink("/proc/self/ns/net"))
                self.assertEqual([line for line in out[1:] if line not in normal], [])


class Arguments(AttackTest):
    def test_a_program_that_is_called_like_an_option_is_a_program(self) -> None:
        tools = self.directory("tools")
        env = {"PATH": f"{tools}:/usr/bin:/bin"}
        for name in ("--bind", "-p", "--", "--help", "-", "@@", "--dry-run"):
            with self.subTest(name=name):
                self.file(f"tools/{name}", "#!/bin/sh\necho program \"$@\"\n", 0o755)
                result = self.sbox("-s", f"files.read-only+={tools}", "--", name, "--version", env=env)
                self.assertEqual((result.status, result.out), (0, "program --version\n"), result)

    def test_arguments_are_never_given_to_a_shell(self) -> None:
        marker = self.work / "marker"
        texts = [f"a;touch {marker}", f"$(touch {marker})", f"`touch {marker}`", f"|touch {marker}", f"\ntouch {marker}\n",
                 "@@", "@@u", "%f", "%u", "--set=network.mode=host", "-snetwork.mode=host", "sh -c"]  # fmt: skip
        code = "import sys; print(repr(sys.argv[1:]), end='')"
        command = ["-s", f"files.read-write+={self.work}", "--", "/usr/bin/python3", "-I", "-S", "-c", code]
        result = self.sbox(*command, *texts)
        self.assertEqual((result.status, result.out), (0, repr(texts)), result)
        self.assertFalse(marker.exists())

    def test_what_sbox_itself_is_called_chooses_nothing(self) -> None:
        for name in ("firefox", "../../x", "", "a\nb", "-p", "-", "/usr/bin/agent", "x" * 5000, "\x1b[2K"):
            with self.subTest(name=name[:20]):
                result = self.account.run([name, "--", "readlink", "/proc/self/ns/net"], executable=str(SBOX))
                self.assertEqual(result.status, 0, result)
                self.assertNotEqual(result.out.strip(), os.readlink("/proc/self/ns/net"))
        link = pathlib.Path(self.work / "firefox")
        link.symlink_to(SBOX)
        result = self.account.run([str(link), "--", "readlink", "/proc/self/ns/net"])
        self.assertNotIn(os.readlink("/proc/self/ns/net"), result.out, result)

    def test_values_for_helpers_never_become_their_options(self) -> None:
        with session_bus(self.account) as env:
            for value in ("--log", "-x", "org.example.A --talk=*", "org.example.A\n--talk=*", "*", "", "org.*x"):
                for key in ("talk", "own", "see", "call"):
                    with self.subTest(value=value, key=key):
                        self.refused("-s", "dbus.session=filtered", "-s", f"dbus.{key}+={value}", "--", "true", env=env)
            for address in ("--fd=1", "unixexec:path=/bin/sh", "tcp:host=localhost,port=1", "autolaunch:", "launchd:env=X"):
                with self.subTest(address=address):
                    script = 'echo "[$DBUS_SESSION_BUS_ADDRESS]"'
                    out = self.inside(script, "-s", "dbus.session=filtered", env={"DBUS_SESSION_BUS_ADDRESS": address})
                    self.assertEqual(out, "[]\n")
