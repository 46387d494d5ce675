"""Ignore SIGTERM and hide behind children: a script to try stop and kill with."""

import signal
import subprocess
import sys
import time

signal.signal(signal.SIGTERM, signal.SIG_IGN)
nap = "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(600)"
children = [
    subprocess.Popen([sys.executable, "-c", nap], start_new_session=True)
    for _ in range(3)
]
print("I and", len(children), "children will not leave")
time.sleep(600)
