# SPDX-License-Identifier: GPL-2.0-only
"""The Debian packages that building and testing needs."""

import os
import pathlib
import platform
import shutil
import subprocess
import sys
import tempfile

PACKAGES = {
    "all": {
        "gcc": "compile",
        "libc6-dev": "compile",
        "make": "compile",
        "perl": "build kernels",
        "flex": "build kernels",
        "bison": "build kernels",
        "bc": "build kernels",
        "libelf-dev": "build kernels (objtool)",
        "xz-utils": "unpack the kernel's source",
        "lz4": "compress kernels",
        "linux-source-6.12": "the kernel's source",
        "busybox-static": "the shell of the test machines",
        "pkg-config": "compile against the library as it is installed",
    },
    "x86_64": {
        "bochs": "emulate VMX and EPT",
        "bochsbios": "boot Bochs",
        "bochs-term": "Bochs without a window or a port",
        "ovmf": "start a firmware in a guest",
        "vgabios": "boot Bochs",
        "qemu-system-x86": "emulate x86 machines",
        "seabios": "start a firmware in a guest",
    },
    "arm64": {
        "qemu-system-arm": "emulate EL2",
        "gcc-arm-linux-gnueabihf": "compile a 32-bit program for arm64",
    },
    "cross-arm64": {
        "gcc-aarch64-linux-gnu": "compile for arm64",
        "libc6-dev-arm64-cross": "compile for arm64",
    },
    "lint": {
        "clang": "compile as the other compiler does",
        "clang-format": "check the layout",
        "codespell": "check the spelling",
        "git": "list the files",
        "groff-base": "check the manual pages",
        "linux-headers-6.12-amd64": "compile for Linux 6.12",
        "linux-headers-amd64": "compile for Linux 6.1",
        "musl-tools": "compile with another C library",
        "pyflakes3": "check the Python",
        "shellcheck": "check the shell scripts",
        "sparse": "check the C",
    },
    "docs": {
        "graphviz": "draw the diagrams",
        "python3-sphinx": "make HTML",
    },
}


def native():
    """This machine's architecture, as the kernel's ARCH= has it."""
    return {"aarch64": "arm64"}.get(platform.machine(), platform.machine())


def groups(arch):
    """The groups of packages that testing on @arch needs."""
    return [group for group in (arch, f"cross-{arch}" if arch != native() else None)
            if group in PACKAGES]


def version(package):
    """The installed version of a package, or None."""
    run = subprocess.run(["dpkg-query", "-W", "-f", "${db:Status-Status} ${Version}", package],
                         capture_output=True, text=True, check=False)
    status, _, number = run.stdout.partition(" ")
    return number if status == "installed" else None


def installed(packages):
    run = subprocess.run(["dpkg-query", "-W", "-f", "${db:Status-Status} ${Package}\n",
                          *packages], capture_output=True, text=True, check=False)
    return {line.split()[1] for line in run.stdout.splitlines()
            if line.startswith("installed ")}


def install(*names):
    """Install what is missing of some groups; say what and why. Nothing to do is silent."""
    wanted = dict(PACKAGES["all"])
    for name in names:
        wanted |= PACKAGES[name]
    have = installed(wanted)
    missing = [p for p in wanted if p not in have]
    if not missing:
        return
    print("Debian packages that are missing:")
    for package in missing:
        print(f"  {package:24} {wanted[package]}")
    sys.stdout.flush()
    command = ["apt-get", "install", "-y", "--no-install-recommends", *missing]
    if os.geteuid():
        sys.exit("Installing them needs root:\n  sudo " + " ".join(command))

    env = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    quiet = ["-q", "-o", "Dpkg::Use-Pty=0"]
    print("apt-get install " + " ".join(missing), flush=True)
    # The lists may be missing or old: fetch them when the first try fails.
    for attempt in range(2):
        done = subprocess.run(command[:2] + quiet + command[2:], env=env, text=True, check=False,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT)
        if done.returncode == 0:
            return
        if attempt == 0:
            print("apt-get update", flush=True)
            subprocess.run(["apt-get", "update", "-q"], env=env, check=False,
                           stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    sys.exit(done.stdout + "apt-get could not install the packages above.")


def _fetch(scratch, arch, packages, release=None):
    """Unpack packages under @scratch; with lists of its own: this system's stay as they are."""
    (scratch / "lists/partial").mkdir(parents=True)
    (scratch / "status").touch()
    apt = ["apt-get", "-q", "-o", f"APT::Architecture={arch}",
           "-o", f"APT::Architectures::={arch}", "-o", f"Dir::State::lists={scratch}/lists",
           "-o", f"Dir::State::status={scratch}/status", "-o", f"Dir::Cache={scratch}",
           "-o", "APT::Sandbox::User=root"]
    if release:
        suite = release.partition("-")[0]
        site = subprocess.run(["apt-get", "indextargets", "--format", "$(REPO_URI)",
                               f"Codename: {suite}"], capture_output=True, text=True, check=True)
        if not site.stdout:
            sys.exit(f"No mirror of Debian's {suite} is configured, and {packages[0]} of "
                     f"{release} is needed.")
        (scratch / "sources").write_text(f"deb {site.stdout.split()[0]} {release} main\n")
        apt += ["-o", f"Dir::Etc::sourcelist={scratch}/sources", "-o", "Dir::Etc::sourceparts=-"]
    for command in (["update"], ["download", *packages]):
        done = subprocess.run(apt + command, cwd=scratch, stdin=subprocess.DEVNULL, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        if done.returncode:
            sys.exit(done.stdout + f"apt-get could not fetch {', '.join(packages)}.")
    for package in scratch.glob("*.deb"):
        subprocess.run(["dpkg-deb", "-x", package, scratch / "root"], check=True)


def busybox(arch, cache):
    """A busybox that runs on @arch; another architecture's is fetched into @cache."""
    if arch == native():
        return pathlib.Path("/bin/busybox")
    found = cache / f"busybox-{arch}"
    if found.exists():
        return found
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        _fetch(scratch, arch, ["busybox-static"])
        new = found.with_suffix(f".{os.getpid()}")
        shutil.copy(scratch / "root/bin/busybox", new)
        new.rename(found)
    return found


NEWER_QEMU = "10"


def newer_qemu(kind, cache):
    """A QEMU newer than Debian 12's, of its backports: "x86" or "arm", unpacked in @cache."""
    found = cache / f"qemu-{NEWER_QEMU}-{kind}"
    if found.exists():
        return found
    cache.mkdir(parents=True, exist_ok=True)
    print(f"fetching QEMU {NEWER_QEMU} of Debian's backports", flush=True)
    debian = {"x86_64": "amd64"}.get(native(), native())
    with tempfile.TemporaryDirectory(prefix="build-", dir=cache) as scratch:
        scratch = pathlib.Path(scratch)
        _fetch(scratch, debian, [f"qemu-system-{kind}", "qemu-system-data"], "bookworm-backports")
        try:
            (scratch / "root").rename(found)
        except OSError:
            if not found.exists():      # else somebody else was faster
                raise
    return found


if __name__ == "__main__":
    install(*sys.argv[1:])
