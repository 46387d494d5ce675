"""Use much memory for a moment, and have somebody told: `alerts`.

    scriptrunner run --alert 'hungry: memory_max_mb > 20 and not timed_out' --alert-channel log --alert-severity ERROR --slack-webhook https://hooks.slack.com/services/T0/B0/example examples/alarm.py

The channel `log` is the service's own log; `slack` would use the address.
"""

block = bytearray(30_000_000)
block[::4096] = b"x" * len(block[::4096])
print("used", len(block) // 1_000_000, "MB")
