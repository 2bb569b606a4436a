#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""inject.py PID CALL [ARG...] - makes a process do a system call, as an intruder in it would.

By ptrace: the main thread is stopped, made to step over a `syscall` instruction of its own with
other registers, and let go.  A text argument is put on its stack.  Prints "killed SIGNAL" when
that ends the process, else what the call returned.  x86-64 only, root only.
"""
import ctypes
import os
import signal
import struct
import sys

ATTACH, DETACH, GETREGS, SETREGS, SINGLESTEP, POKEDATA, PEEKTEXT = 16, 17, 12, 13, 9, 5, 1
NAMES = ("r15 r14 r13 r12 rbp rbx r11 r10 r9 r8 rax rcx rdx rsi rdi orig_rax rip cs eflags rsp ss "
         "fs_base gs_base ds es fs gs").split()
CALLS = {"open": 2, "mprotect": 10, "mmap": 9, "socket": 41, "clone": 56, "fork": 57, "execve": 59,
         "kill": 62, "ptrace": 101, "setuid": 105, "bpf": 321, "unlink": 87, "rename": 82,
         "listen": 50, "chmod": 90, "mount": 165, "init_module": 175, "unshare": 272,
         "io_uring_setup": 425}

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.restype = ctypes.c_long
libc.ptrace.argtypes = [ctypes.c_long] * 4


def ptrace(request, pid, address=0, data=0):
    ctypes.set_errno(0)
    result = libc.ptrace(request, pid, address, data)
    if ctypes.get_errno() != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def wait(pid):
    """None while the process lives, else how it ended."""
    _, status = os.waitpid(pid, 0x40000000)  # __WALL
    if os.WIFSIGNALED(status):
        return "killed %s" % signal.Signals(os.WTERMSIG(status)).name
    if os.WIFEXITED(status):
        return "exited %d" % os.WEXITSTATUS(status)
    return None


def registers(pid):
    room = ctypes.create_string_buffer(8 * len(NAMES))
    ptrace(GETREGS, pid, 0, ctypes.addressof(room))
    return dict(zip(NAMES, struct.unpack("<%dQ" % len(NAMES), room.raw)))


def set_registers(pid, values):
    room = ctypes.create_string_buffer(
        struct.pack("<%dQ" % len(NAMES), *(values[n] & (2**64 - 1) for n in NAMES)))
    ptrace(SETREGS, pid, 0, ctypes.addressof(room))


def put_text(pid, address, text):
    data = text.encode() + b"\0"
    data += b"\0" * (-len(data) % 8)
    for at in range(0, len(data), 8):
        ptrace(POKEDATA, pid, address + at, struct.unpack("<q", data[at:at + 8])[0])


def inject(pid, call, arguments):
    ptrace(ATTACH, pid)
    end = wait(pid)
    if end:
        return end
    saved = registers(pid)
    if ptrace(PEEKTEXT, pid, saved["rip"] - 2) & 0xffff != 0x050f:
        raise SystemExit("the thread does not wait in a system call")
    values = []
    for argument in arguments:
        if argument.lstrip("-").isdigit():
            values.append(int(argument))
        elif argument == "stack":
            values.append((saved["rsp"] - 16384) & ~4095)
        else:
            address = (saved["rsp"] - 8192) & ~15
            put_text(pid, address, argument)
            values.append(address)
    new = dict(saved, rax=CALLS[call], orig_rax=-1, rip=saved["rip"] - 2)
    new.update(zip(("rdi", "rsi", "rdx", "r10", "r8", "r9"), values))
    set_registers(pid, new)
    ptrace(SINGLESTEP, pid)
    end = wait(pid)
    while end is None and registers(pid)["rip"] == new["rip"]:
        ptrace(SINGLESTEP, pid)  # a signal came in between
        end = wait(pid)
    if end:
        return end
    result = struct.unpack("<q", struct.pack("<Q", registers(pid)["rax"]))[0]
    set_registers(pid, dict(saved, rax=-4, orig_rax=-1))  # its own call was interrupted: EINTR
    ptrace(DETACH, pid)
    return "returned %d" % result


if __name__ == "__main__":
    print(inject(int(sys.argv[1]), sys.argv[2], sys.argv[3:]))
