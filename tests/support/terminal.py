"""Runs a command at a terminal of its own and types into it.

Arguments: the command. Standard input: a JSON list of pairs; the second text of each is typed when the first has come up
on the screen, after what came up before. The answer to a password's prompt waits until the terminal hides it. Prints
`{"code": …, "screen": …}`. However the command ends, the terminal must show again what is typed."""

import json
import os
import pty
import select
import sys
import termios
import time

TIMEOUT_S = 60
LFLAG = 3


def hides(terminal):
    """Whether what is typed stays unseen."""
    return not termios.tcgetattr(terminal)[LFLAG] & termios.ECHO


def main():
    waiting = json.load(sys.stdin)
    child, terminal = pty.fork()
    if child == 0:
        os.execv(sys.argv[1], sys.argv[1:])
    screen, seen = b"", 0
    deadline = time.monotonic() + TIMEOUT_S
    while True:
        if not select.select([terminal], [], [], deadline - time.monotonic())[0]:
            sys.exit(f"nothing more came up: {screen!r}")
        try:
            more = os.read(terminal, 65536)
        except OSError:  # Linux: the other end is closed.
            more = b""
        if not more:
            break
        screen += more
        while waiting and (found := screen.find(waiting[0][0].encode(), seen)) >= 0:
            seen = found + len(waiting[0][0].encode())
            while waiting[0][0].endswith("Password: ") and not hides(terminal):
                time.sleep(0.01)
            os.write(terminal, waiting.pop(0)[1].encode())
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    try:
        if hides(terminal):
            sys.exit("what is typed stays unseen after the command has ended")
    except termios.error:  # Not Linux: the terminal has gone with the command.
        pass
    if waiting:
        sys.exit(f"{waiting[0][0]!r} did not come up: {screen!r}")
    print(json.dumps({"code": code, "screen": screen.decode().replace("\r\n", "\n")}))


main()
