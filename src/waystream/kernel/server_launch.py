"""Run as a script: become the server's user, tie this process to its parent's life, then become the program.

Arguments: the parent's pid, uid, gid, whether to keep the right to read (0 or 1), the signal for the parent's death,
then the command. Standard library only, so that it starts in milliseconds without the virtual environment.
Linux only. Lives in one process between fork and exec; `kernel.lifecycle` is the only caller.
"""

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1
PR_SET_KEEPCAPS = 8
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_RAISE = 2
CAP_DAC_READ_SEARCH = 2
CAP_VERSION_3 = 0x20080522

libc = ctypes.CDLL(None, use_errno=True)


def check(result: int) -> None:
    if result != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def drop_rights(uid: int, gid: int, *, keep_reading: bool) -> None:
    """Leave root for good. Of its rights only reading below closed folders may stay: the wheel can lie in /root."""
    check(libc.prctl(PR_SET_KEEPCAPS, int(keep_reading), 0, 0, 0))
    os.setgroups([])
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)
    if keep_reading:
        bit = 1 << CAP_DAC_READ_SEARCH
        header = (ctypes.c_uint32 * 2)(CAP_VERSION_3, 0)
        low_then_high = (ctypes.c_uint32 * 6)(bit, bit, bit, 0, 0, 0)
        check(libc.capset(header, low_then_high))
        check(libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_DAC_READ_SEARCH, 0, 0))


def main(parent: int, uid: int, gid: int, keep_reading: int, signal: int, command: list[str]) -> None:
    if os.getuid() == 0:
        drop_rights(uid, gid, keep_reading=bool(keep_reading))
    # After the change of user, which would clear it.
    check(libc.prctl(PR_SET_PDEATHSIG, signal, 0, 0, 0))
    if os.getppid() != parent:
        sys.exit("the parent died before its server started")
    os.umask(0o077)
    os.chdir("/")
    os.execv(command[0], command)


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:6]), sys.argv[6:])  # type: ignore[call-arg, arg-type]
