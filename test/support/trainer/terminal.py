"""Runs a command as the leader of a terminal's session, until it ends, and prints its wait status.

When standard input ends, closes the terminal.
"""

import json
import os
import pty
import select
import sys

pid, terminal = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
print(json.dumps({"pid": pid}), flush=True)

open_ends = [0, terminal]
while terminal in open_ends:
    ready, _, _ = select.select(open_ends, [], [])
    if terminal in ready:
        try:
            shown = os.read(terminal, 65536)
        except OSError:
            shown = b""
        if not shown:
            break
    if 0 in ready and not os.read(0, 1024):
        break
os.close(terminal)

_, status = os.waitpid(pid, 0)
print(json.dumps({"code": os.waitstatus_to_exitcode(status)}), flush=True)
