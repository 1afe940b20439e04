# SPDX-License-Identifier: GPL-2.0-only
"""Small kernels, built from Debian's source package and kept in a cache.

A kernel in the cache is a directory with what is needed to boot it and to build
modules for it. It is named after everything that went into it, is made under
another name, and moved into place when it is complete.
"""

import contextlib
import fcntl
import hashlib
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

import deps

HERE = pathlib.Path(__file__).resolve().parent
SOURCE = "linux-source-6.12"
TARBALL = pathlib.Path("/usr/src") / (SOURCE + ".tar.xz")

# What differs by architecture: the kernel's name for it, the image, the modules
# that go into the initramfs, the cross compiler's prefix, and the flavours of
# kernel that there are, with about how many steps a build has: for the
# percentage only. Those in "alone" have no machine that loads a module of theirs.
ARCHES = {
    "x86_64": {
        "srcarch": "x86",
        "image": "arch/x86/boot/bzImage",
        "target": "bzImage",
        "modules": ("virt/lib/irqbypass", "arch/x86/kvm/kvm", "arch/x86/kvm/kvm-intel"),
        "cross": "x86_64-linux-gnu-",
        "flavours": {"lean": 1590, "sanitizer": 1480, "distro": 1780, "kcsan": 1500},
        "alone": ("sanitizer", "kcsan"),
    },
    "arm64": {
        "srcarch": "arm64",
        "image": "arch/arm64/boot/Image",
        "target": "Image",
        "modules": (),
        "cross": "aarch64-linux-gnu-",
        "flavours": {"lean": 1450, "64k": 1450},
        "alone": (),
    },
}

# Where the sanitizer kernel has KASAN and UBSAN look: at all that is given a module's
# objects, and not at the rest, which takes a third of the time to build. Modules of
# ours are always looked at.
SANITIZED = "kernel kernel/locking kernel/rcu kernel/sched kernel/time mm lib fs " \
    "drivers/misc/lkdtm"

# GCC remembers which macro each token came from, for its warnings: a tenth of its time.
FASTER = "KCFLAGS=-ftrack-macro-expansion=0"

# What no figure of ours runs through. GCC takes a sixth less time with -O1.
UNMEASURED = " ".join(f"{name} {name}/%" for name in (
    "block", "crypto", "drivers", "init", "io_uring", "kernel/cgroup", "kernel/module",
    "kernel/power", "kernel/printk", "kernel/trace", "lib/crypto", "lib/kunit", "net",
    "security"))
MEASURED = "drivers/irqchip drivers/clocksource"
LESS_OPTIMIZED = \
    f"CFLAGS_KERNEL=$(if $(filter {UNMEASURED},$(filter-out {MEASURED},$(obj))),-O1)"

# Variables of kbuild's, for each flavour.
VARIABLES = {
    "lean": [LESS_OPTIMIZED],
    "64k": [LESS_OPTIMIZED],
    "distro": [LESS_OPTIMIZED],
    "sanitizer": ["CFLAGS_KERNEL=-O1"] +
                 [f"{name}_SANITIZE=$(if $(filter {SANITIZED},$(obj)),,n)"
                  for name in ("KASAN", "UBSAN")],
    # The kernel's own data races are not ours to find. What orders our accesses by a lock
    # or a wait queue is in these directories.
    "kcsan": ["CFLAGS_KERNEL=-O1", "KCSAN_SANITIZE=n",
              f"KCSAN_INSTRUMENT_BARRIERS=$(if $(filter {SANITIZED},$(obj)),y)"],
}

# What of a built tree is kept: enough to boot, to build modules, and the
# scripts and headers that selftests and lint borrow.
KEEP = (
    r"Makefile|Kbuild|\.config|Module\.symvers|System\.map",
    r"include/.*",
    r"scripts/.*",
    r"arch/[^/]+/(Makefile.*|Kbuild)",
    r"arch/{srcarch}/(include/.*|boot/(bz)?Image)",
    r"tools/objtool/objtool",
    r"tools/testing/selftests/kselftest[^/]*\.h",
    r"Documentation/(conf\.py|sphinx/.*)",
    r".*\.ko",
)


def cache():
    base = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    return pathlib.Path(base) / "axvcpu"


def cross(arch):
    """The prefix of the compiler for @arch."""
    return ARCHES[arch]["cross"] if arch != deps.native() else ""


BUILDING = set()


def stop_all():
    """End the builds of other threads."""
    for make in list(BUILDING):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(make.pid, signal.SIGKILL)


class BuildError(Exception):
    """What went wrong, for a person to read."""


class Kernel:
    def __init__(self, arch, flavour):
        self.arch = arch
        self.flavour = flavour
        self.info = ARCHES[arch]
        self.cross = cross(arch)
        self.name = f"{arch} {flavour}"
        self.fragments = [HERE / "configs" / f"{name}.config"
                          for name in ("base", arch, flavour)]
        self.variables = VARIABLES.get(flavour, [])
        self.id = f"{flavour}-{self._digest()[:12]}"
        self.dir = cache() / f"{arch}-{self.id}"

    def _digest(self):
        compiler = subprocess.run([self.cross + "gcc", "--version"],
                                  capture_output=True, text=True, check=True)
        parts = [str(deps.version(SOURCE)), compiler.stdout.splitlines()[0], self.arch, FASTER,
                 *KEEP, *self.variables]
        parts += [path.read_text() for path in self.fragments]
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()

    @property
    def image(self):
        return self.dir / self.info["image"]

    @property
    def kselftest(self):
        return self.dir / "tools/testing/selftests"

    def modules(self):
        return [] if self._alone() else \
            [self.dir / (name + ".ko") for name in self.info["modules"]]

    def _alone(self):
        return self.flavour in self.info["alone"]

    def complete(self):
        return (self.dir / "complete").exists() and self.image.exists()

    def build(self, log_dir):
        """Build the kernel unless the cache has it."""
        if self.complete():
            return
        cache().mkdir(parents=True, exist_ok=True)
        with open(cache() / f"{self.arch}-{self.id}.lock", "w", encoding="ascii") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                print(f"{self.name} kernel: another run is building it", flush=True)
                fcntl.flock(lock, fcntl.LOCK_EX)
            if not self.complete():
                self._build(log_dir)

    def _build(self, log_dir):
        log_dir.mkdir(parents=True, exist_ok=True)
        log = log_dir / f"kernel-{self.arch}-{self.flavour}.log"
        sweep()
        source = unpacked_source()
        began = time.monotonic()
        try:
            with scratch() as tree, open(log, "w", encoding="utf-8") as out:
                # Links: a build makes files and removes them, but changes none of the source.
                self._step(["cp", "-al", f"{source}/.", tree], out)
                self._configure(tree, out)
                self._compile(tree, out, began)
                self._prune(tree)
                (tree / "complete").touch()
                shutil.rmtree(self.dir, ignore_errors=True)
                tree.rename(self.dir)
        except BuildError as error:
            raise BuildError(f"{self.name} kernel: {error}; the whole log is {log}") from None
        print(f"{self.name} kernel: built in {clock(time.monotonic() - began)}", flush=True)

    def _make(self, tree, *args):
        return ["make", "-C", tree, f"ARCH={self.arch}", f"CROSS_COMPILE={self.cross}",
                "KBUILD_BUILD_USER=axvcpu", "KBUILD_BUILD_HOST=testbed", FASTER, *args]

    @staticmethod
    def _environment():
        # A make above us must not hand down its variables.
        return {k: v for k, v in os.environ.items()
                if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "ARCH",
                             "CROSS_COMPILE", "KDIR", "O", "V", "M", "T")}

    def _step(self, command, out):
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                              env=self._environment(), check=False)
        if done.returncode:
            raise BuildError(f"{command[0]} failed")

    def _configure(self, tree, out):
        # A later fragment may overrule an earlier one.
        wanted = dict(re.findall(r"^(CONFIG_\w+)=(.*)$",
                                 "".join(path.read_text() for path in self.fragments), re.M))
        (tree / "wanted.config").write_text(
            "".join(f"{symbol}={value}\n" for symbol, value in wanted.items()))
        self._step(self._make(tree, "KCONFIG_ALLCONFIG=wanted.config", "allnoconfig"), out)
        got = dict(re.findall(r"^(CONFIG_\w+)=(.*)$", (tree / ".config").read_text(), re.M))
        refused = [f"{symbol}={value} (it is {got.get(symbol, 'n')})"
                   for symbol, value in wanted.items()
                   if got.get(symbol, "n") != value]
        if refused:
            raise BuildError("the configuration did not take " + ", ".join(refused))

    def _compile(self, tree, out, began):
        command = self._make(tree, f"-j{os.cpu_count() + 1}", *self.variables, self.info["target"],
                             "modules_prepare" if self._alone() else "modules")
        make = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True, env=self._environment(),
                                process_group=0)
        BUILDING.add(make)
        progress = Progress(f"{self.name} kernel: building", self.info["flavours"][self.flavour],
                            began)
        try:
            for line in make.stdout:
                out.write(line)
                if line.startswith("  "):
                    progress.step()
        except BaseException:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(make.pid, signal.SIGKILL)
            make.wait()
            raise
        finally:
            progress.end()
        failed = make.wait()
        BUILDING.discard(make)
        if failed:
            raise BuildError("make failed")
        if not (tree / "Module.symvers").exists():
            # There is nothing more that modules of ours may use.
            shutil.copy(tree / "vmlinux.symvers", tree / "Module.symvers")

    def _prune(self, tree):
        keep = re.compile("|".join(KEEP).replace("{srcarch}", self.info["srcarch"]))
        for base, dirs, files in os.walk(tree, topdown=False):
            for name in files + [d for d in dirs if os.path.islink(os.path.join(base, d))]:
                path = os.path.join(base, name)
                if not keep.fullmatch(os.path.relpath(path, tree)):
                    os.unlink(path)
            with contextlib.suppress(OSError):
                os.rmdir(base)


class Progress:
    """One line that is rewritten on a terminal, a line a minute elsewhere."""

    def __init__(self, what, total, began):
        self.what, self.total, self.began = what, total, began
        self.done = 0
        self.shown = time.monotonic()
        # One line for everybody: not beside others'
        self.tty = sys.stdout.isatty() and \
            threading.current_thread() is threading.main_thread()

    def step(self):
        self.done += 1
        now = time.monotonic()
        if now - self.shown < (0.5 if self.tty else 60):
            return
        self.shown = now
        percent = min(99, self.done * 100 // self.total)
        text = f"{self.what}: {self.done} files, {percent}%, {clock(now - self.began)}"
        print(f"\r{text}\033[K" if self.tty else text, end="" if self.tty else "\n", flush=True)

    def end(self):
        if self.tty:
            print("\r\033[K", end="", flush=True)


def clock(seconds):
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"


@contextlib.contextmanager
def scratch():
    """A directory in the cache, to be renamed when it is complete; else it goes."""
    tree = pathlib.Path(tempfile.mkdtemp(prefix="build-", dir=cache()))
    alive = tree / ".building"
    try:
        with open(alive, "w", encoding="ascii") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield tree
    finally:
        discard(tree)


def unpacked_source():
    """The source's tree in the cache, unpacked unless it is there."""
    tree = cache() / f"{SOURCE}-{deps.version(SOURCE)}"
    with open(f"{tree}.lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not tree.exists():
            print(f"unpacking {SOURCE}", flush=True)
            with scratch() as new:
                subprocess.run(["tar", "-xf", TARBALL, "-C", new, "--strip-components=1"],
                               check=True)
                (new / ".building").unlink()
                new.rename(tree)
    return tree


def discard(tree):
    """Remove a tree, even if compilers that were killed are still dying in it."""
    for _ in range(5):
        shutil.rmtree(tree, ignore_errors=True)
        if not tree.exists():
            break
        time.sleep(0.2)


def sweep():
    """Remove what builds that were killed have left in the cache."""
    for tree in cache().glob("build-*"):
        try:
            with open(tree / ".building", "r+", encoding="ascii") as alive:
                fcntl.flock(alive, fcntl.LOCK_EX | fcntl.LOCK_NB)
                discard(tree)
        except OSError:
            pass
