"""Scripts that say they are ready, then sleep until somebody ends them."""

#: Ends well when it is asked to.
POLITE = """
import signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: (print("bye"), sys.exit(0)))
print("ready")
time.sleep(60)
"""

#: Does not listen.
STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("ready")
time.sleep(60)
"""
