"""A filter for the system calls of a sandbox, written as BPF by hand: x86_64 and aarch64.

What an ordinary program needs passes. Refused (EPERM, or ENOSYS where programs then fall back) is what reaches for the kernel
itself: mounts, namespaces, modules, keys, BPF, tracing of the machine, io_uring, clocks, odd socket families, and typing into a
terminal one does not own. Changes of owner and identity are said to have worked without being done: inside there is one id, root,
and programs that install (dpkg, tar, useradd) insist on them. Other architectures' calls (32-bit, x32) are not there.
"""

from __future__ import annotations

import errno
import os
import struct

_ALLOW = 0x7FFF0000
_ERRNO = 0x00050000
_LOAD, _EQUAL, _GREATER_EQUAL, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _ARCHITECTURE, _FIRST, _SECOND = 0, 4, 16, 24
_X32 = 0x40000000
_NEW_NAMESPACES = 0x7E020000
_TYPING = (0x5412, 0x541C)  # TIOCSTI, TIOCLINUX
_FAMILIES = (
    1,
    2,
    10,
    16,
)  # UNIX, INET, INET6, NETLINK: never VSOCK, which leads to the host of a virtual machine

_PRETENDED = 0
# name: (x86_64, aarch64); None where the architecture has none.
_DECIDED: dict[int, dict[str, tuple[int | None, int | None]]] = {
    _PRETENDED: {
        "chown": (92, None),
        "fchown": (93, 55),
        "lchown": (94, None),
        "fchownat": (260, 54),
        "setuid": (105, 146),
        "setgid": (106, 144),
        "setreuid": (113, 145),
        "setregid": (114, 143),
        "setgroups": (116, 159),
        "setresuid": (117, 147),
        "setresgid": (119, 149),
        "setfsuid": (122, 151),
        "setfsgid": (123, 152),
    },
    errno.EPERM: {
        "mount": (165, 40),
        "umount2": (166, 39),
        "pivot_root": (155, 41),
        "swapon": (167, 224),
        "swapoff": (168, 225),
        "reboot": (169, 142),
        "iopl": (172, None),
        "ioperm": (173, None),
        "init_module": (175, 105),
        "finit_module": (313, 273),
        "delete_module": (176, 106),
        "quotactl": (179, 60),
        "quotactl_fd": (443, 443),
        "acct": (163, 89),
        "settimeofday": (164, 170),
        "clock_settime": (227, 112),
        "clock_adjtime": (305, 266),
        "adjtimex": (159, 171),
        "syslog": (103, 116),
        "vhangup": (153, 58),
        "modify_ldt": (154, None),
        "kexec_load": (246, 104),
        "kexec_file_load": (320, 294),
        "unshare": (272, 97),
        "setns": (308, 268),
        "open_by_handle_at": (304, 265),
        "perf_event_open": (298, 241),
        "fanotify_init": (300, 262),
        "bpf": (321, 280),
        "userfaultfd": (323, 282),
        "lookup_dcookie": (212, 18),
        "move_mount": (429, 429),
        "open_tree": (428, 428),
        "fsopen": (430, 430),
        "fsconfig": (431, 431),
        "fsmount": (432, 432),
        "fspick": (433, 433),
        "mount_setattr": (442, 442),
    },
    errno.ENOSYS: {
        "clone3": (435, 435),  # its flags lie in memory, where a filter cannot look; libc falls back to clone
        "add_key": (248, 217),
        "request_key": (249, 218),
        "keyctl": (250, 219),
        "io_uring_setup": (425, 425),
        "io_uring_enter": (426, 426),
        "io_uring_register": (427, 427),
        "uselib": (134, None),
        "nfsservctl": (180, 42),
    },
}
# name: (x86_64, aarch64), and which argument is the mode.
_MODES: dict[str, tuple[tuple[int | None, int | None], int]] = {
    "chmod": ((90, None), 1),
    "fchmod": ((91, 52), 1),
    "fchmodat": ((268, 53), 2),
    "fchmodat2": ((452, 452), 2),
}
_SETUID = 0o4000
_LOOKED_AT = {"clone": (56, 220), "ioctl": (16, 29), "socket": (41, 198)}
_MACHINES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}


def program(machine: str | None = None, *, setuid: bool = True) -> bytes | None:
    """The filter as `struct sock_filter`s for this machine's architecture; None for one that is not known here.

    setuid: whether files may be given that bit. One in a folder of the machine would run there as whoever owns the folder. (A file that
    is made with it loses it when it is written to.)
    """
    known = _MACHINES.get(machine or os.uname().machine)
    if known is None:
        return None
    column, architecture = known
    made: list[tuple[int, int, int, int]] = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_EQUAL, 1, 0, architecture),
        (_RETURN, 0, 0, _ERRNO | errno.ENOSYS),
        (_LOAD, 0, 0, _NUMBER),
    ]
    if column == 0:
        made += [(_GREATER_EQUAL, 0, 1, _X32), (_RETURN, 0, 0, _ERRNO | errno.ENOSYS)]
    for answer, calls in _DECIDED.items():
        for numbers in calls.values():
            if numbers[column] is not None:
                made += _when(numbers[column], [(_RETURN, 0, 0, _ERRNO | answer)])
    for numbers, argument in _MODES.values() if not setuid else ():
        if numbers[column] is not None:
            made += _when(
                numbers[column],
                [
                    (_LOAD, 0, 0, _FIRST + 8 * argument),
                    (_ANY_BIT, 0, 1, _SETUID),
                    (_RETURN, 0, 0, _ERRNO | errno.EPERM),
                    (_RETURN, 0, 0, _ALLOW),
                ],
            )
    made += _when(
        _LOOKED_AT["clone"][column],
        [
            (_LOAD, 0, 0, _FIRST),
            (_ANY_BIT, 0, 1, _NEW_NAMESPACES),
            (_RETURN, 0, 0, _ERRNO | errno.EPERM),
            (_RETURN, 0, 0, _ALLOW),
        ],
    )
    made += _when(
        _LOOKED_AT["ioctl"][column],
        [
            (_LOAD, 0, 0, _SECOND),
            (_EQUAL, 1, 0, _TYPING[0]),
            (_EQUAL, 0, 1, _TYPING[1]),
            (_RETURN, 0, 0, _ERRNO | errno.EPERM),
            (_RETURN, 0, 0, _ALLOW),
        ],
    )
    families = [(_EQUAL, len(_FAMILIES) - at, 0, family) for at, family in enumerate(_FAMILIES)]
    made += _when(
        _LOOKED_AT["socket"][column],
        [
            (_LOAD, 0, 0, _FIRST),
            *families,
            (_RETURN, 0, 0, _ERRNO | errno.EAFNOSUPPORT),
            (_RETURN, 0, 0, _ALLOW),
        ],
    )
    made.append((_RETURN, 0, 0, _ALLOW))
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in made)


def _when(number: int | None, then: list[tuple[int, int, int, int]]) -> list[tuple[int, int, int, int]]:
    """These instructions, which end, for one call; the next one for all others."""
    return [(_EQUAL, 0, len(then), number or 0), *then]
