"""Runs a program within the system call filter of a systemd unit, without systemd.

usage: within_unit.py UNIT PROGRAM [ARGUMENT...]

Takes SystemCallFilter= of the unit as systemd does (systemd.exec(5)), sets of systemd-analyze included; calls beyond it fail with
EPERM. Needs libseccomp, which systemd itself uses.
"""

import ctypes
import errno
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

ALLOW, ERRNO = 0x7FFF0000, 0x00050000


@cache
def expanded(name):
    """The system calls of a name, which is one or a set."""
    if not name.startswith("@"):
        return frozenset([name])
    listed = subprocess.run(["systemd-analyze", "syscall-filter", name], check=True, capture_output=True, text=True).stdout
    lines = [line.strip() for line in listed.splitlines()[1:]]
    return frozenset().union(*(expanded(line) for line in lines if line and not line.startswith("#")))


def allowed(unit):
    calls = set()
    for line in Path(unit).read_text().splitlines():
        if line.startswith("SystemCallFilter="):
            value = line.split("=", 1)[1]
            names = [expanded(name) for name in value.removeprefix("~").split()]
            calls = calls.difference(*names) if value.startswith("~") else calls.union(*names)
    # systemd itself starts the program.
    return calls | {"execve"}


def main():
    unit, program = sys.argv[1], sys.argv[2:]
    seccomp = ctypes.CDLL("libseccomp.so.2", use_errno=True)
    seccomp.seccomp_init.restype = ctypes.c_void_p
    context = ctypes.c_void_p(seccomp.seccomp_init(ctypes.c_uint32(ERRNO | errno.EPERM)))
    for name in allowed(unit):
        number = seccomp.seccomp_syscall_resolve_name(name.encode())
        # Names of other architectures are skipped, as systemd does.
        if number >= 0 and seccomp.seccomp_rule_add(context, ctypes.c_uint32(ALLOW), number, 0) != 0:
            sys.exit(f"cannot allow {name}")
    if seccomp.seccomp_load(context) != 0:
        sys.exit("the kernel takes no filter")
    os.execv(program[0], program)


if __name__ == "__main__":
    main()
