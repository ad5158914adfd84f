"""What a process gives up before a student's code runs in it. Run inside the sandbox only; nothing of the kit is there.

The walls themselves (namespaces and mounts) are bubblewrap's. This is what a process does to itself, in this order:
limits, another user where root started it, no capabilities, no new privileges, Landlock, a filter of system calls.
"""

from __future__ import annotations

import ctypes
import os
import resource
from collections.abc import Iterable
from contextlib import suppress
from functools import cache
from typing import Any

PR_SET_DUMPABLE, PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS = 4, 24, 38
LAST_CAPABILITY = 63
KEYCTL = {"x86_64": 250, "aarch64": 219}  # the system call's number; libc has no name for it
KEYCTL_JOIN_SESSION_KEYRING = 1
CAPABILITY_VERSION_3 = 0x20080522

# Calls that no notebook needs and that reach far into the kernel. They fail with EPERM, as for any user.
FORBIDDEN = (
    "acct", "add_key", "adjtimex", "bpf", "chroot", "clock_adjtime", "clock_settime", "delete_module",
    "finit_module", "fsconfig", "fsmount", "fsopen", "fspick", "init_module", "io_uring_enter", "io_uring_register",
    "io_uring_setup", "ioperm", "iopl", "kcmp", "kexec_file_load", "kexec_load", "keyctl", "lookup_dcookie",
    "mount", "mount_setattr", "move_mount", "move_pages", "name_to_handle_at", "open_by_handle_at", "open_tree",
    "perf_event_open", "personality", "pidfd_getfd", "pivot_root", "process_vm_readv", "process_vm_writev",
    "ptrace", "quotactl", "reboot", "request_key", "seccomp", "setdomainname", "sethostname", "setns",
    "settimeofday", "swapoff", "swapon", "syslog", "umount2", "unshare", "userfaultfd", "vhangup",
)  # fmt: skip
NEW_NAMESPACES = (0x80, 0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000)  # CLONE_NEW*
SOCKETS = (1, 2, 10, 16)  # AF_UNIX, INET, INET6, NETLINK; not VSOCK, which no network namespace holds, nor rarer ones
NETLINK = 16  # lists the network's interfaces, which zmq asks for; nothing else of it
LAST_SOCKETS = 64


def confine(settings: dict[str, Any]) -> None:
    """Give up what `settings` says: "limits" by name, and unless "trusted" all rights; "uid" or None, "writable".

    Raises OSError where the kernel refuses what it offers. Landlock and the filter are left out where they are not
    to be had; `chainrule doctor` tells.
    """
    limit(settings["limits"])
    if settings["trusted"]:
        return
    leave_keyring()
    drop_bounding_set()
    become(settings["uid"])
    drop_capabilities()
    _prctl(PR_SET_NO_NEW_PRIVS, 1)
    restrict_writing(settings["writable"])
    restrict_calls()


def prepare() -> None:
    """Load what `confine` uses, once, before processes are forked that call it."""
    libc()
    landlock_version()
    call_filter()


def limit(limits: dict[str, int]) -> None:
    """Set hard limits, which no code inside can raise again."""
    for name, value in {"CORE": 0, **limits}.items():
        kind = getattr(resource, f"RLIMIT_{name}")
        _, hard = resource.getrlimit(kind)
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (value, value))


def leave_keyring() -> None:
    """Take a new, empty session keyring: the grader's would be inherited, with the keys of its user's session."""
    number = KEYCTL.get(os.uname().machine)
    if number is not None:  # a kernel without keyrings has none to leave
        libc().syscall(number, KEYCTL_JOIN_SESSION_KEYRING, None)


def become(uid: int | None) -> None:
    """Give up root for good."""
    if uid is None:
        return
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    # The change of user hides /proc/self from its owner, which multiprocessing and psutil read; nothing here is hidden.
    _prctl(PR_SET_DUMPABLE, 1)


def drop_bounding_set() -> None:
    """No program that is started later can bring a capability back. EPERM: bwrap has seen to it already."""
    for capability in range(LAST_CAPABILITY + 1):
        with suppress(OSError):
            _prctl(PR_CAPBSET_DROP, capability)


def drop_capabilities() -> None:
    """Give up every capability; joining a user namespace gave all of them."""
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    none = (ctypes.c_uint32 * 6)()
    _check(libc().capset(header, none))


def restrict_writing(folders: Iterable[str]) -> None:
    """Landlock: read and run everything that is mounted, write below `folders` alone."""
    ctypes.set_errno(0)  # a capability that is unknown leaves one behind, which the library takes for its own failure
    if not landlock_version():
        return
    landlock = _optional("landlock")
    access = landlock.FSAccess
    rules = landlock.Ruleset()
    rules.allow("/", rules=access.EXECUTE | access.READ_FILE | access.READ_DIR)
    rules.allow(*(folder for folder in folders if os.path.isdir(folder)))
    rules.apply()
    os.close(rules._fd)  # which the library leaves open


def landlock_version() -> int:
    """Of the kernel's Landlock; 0 where there is none."""
    landlock = _optional("landlock")
    try:
        return 0 if landlock is None else int(landlock.landlock_abi_version())
    except OSError:
        return 0


def restrict_calls() -> None:
    """Load the filter of system calls into this process; its children inherit it."""
    if (rules := call_filter()) is not None:
        rules.load()


@cache  # it takes some milliseconds
def call_filter() -> Any:
    """libseccomp's filter, or None where libseccomp is not installed."""
    seccomp = _optional("pyseccomp")
    if seccomp is None:
        return None
    rules = seccomp.SyscallFilter(seccomp.ALLOW)
    refuse = seccomp.ERRNO(1)  # EPERM
    for name in FORBIDDEN:
        with suppress(OSError):  # unknown to this machine or to this libseccomp
            rules.add_rule(refuse, name)
    for flag in NEW_NAMESPACES:
        rules.add_rule(refuse, "clone", seccomp.Arg(0, seccomp.MASKED_EQ, flag, flag))
    rules.add_rule(seccomp.ERRNO(38), "clone3")  # ENOSYS: its flags cannot be read; glibc then takes clone
    for family in range(LAST_SOCKETS + 1):
        if family not in SOCKETS:
            rules.add_rule(seccomp.ERRNO(97), "socket", seccomp.Arg(0, seccomp.EQ, family))  # EAFNOSUPPORT
    rules.add_rule(seccomp.ERRNO(97), "socket", seccomp.Arg(0, seccomp.GT, LAST_SOCKETS))
    rules.add_rule(seccomp.ERRNO(97), "socket", seccomp.Arg(0, seccomp.EQ, NETLINK), seccomp.Arg(2, seccomp.NE, 0))
    return rules


def _optional(name: str) -> Any:
    try:
        return __import__(name)
    except (ImportError, RuntimeError):  # not installed, or without its library
        return None


@cache
def libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _prctl(option: int, value: int) -> None:
    _check(libc().prctl(option, ctypes.c_ulong(value), 0, 0, 0))


def _check(status: int) -> None:
    if status != 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
