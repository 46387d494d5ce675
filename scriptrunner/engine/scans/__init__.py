"""The scans before a run: static analysis, secrets, vulnerable dependencies.

A scan reads a script and never executes it. The sources are hostile: whatever parses them
runs in one child process with limits (``child``), started by the shim (``session``). What
the shim loads of this package needs the standard library only; bandit, detect-secrets and
packaging are loaded by the child alone.
"""
