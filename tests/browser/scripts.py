"""The scripts that the browser tests run."""

#: By name below the allowed root.
SCRIPTS = {
    "hello.py": 'import sys\nprint("hello", sys.argv[1:])\n',
    # Goes on until somebody ends it; a file ends it, too.
    "wait.py": ('import time\nprint("waiting", flush=True)\ntime.sleep(600)\n'),
    "stubborn.py": (
        "import signal, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        'print("deaf", flush=True)\n'
        "time.sleep(600)\n"
    ),
    # One line per line of the file named by its argument, as that grows.
    "echo_file.py": (
        "import sys, time\n"
        "with open(sys.argv[1]) as file:\n"
        "    while True:\n"
        "        line = file.readline()\n"
        '        if line == "end\\n":\n'
        "            break\n"
        "        if line:\n"
        "            sys.stdout.write(line)\n"
        "            sys.stdout.flush()\n"
        "        else:\n"
        "            time.sleep(0.02)\n"
    ),
    "fails.py": (
        "import sys\n"
        "for number in range(200):\n"
        '    print(f"\\x1b[32mok\\x1b[0m row {number}")\n'
        'print("about to fail", file=sys.stderr)\n'
        'rows = {"id": 1}\n'
        'print(rows["nobody"])\n'
    ),
    "colours.py": (
        'print("\\x1b[1;31mred\\x1b[0m plain \\x1b[38;5;208morange\\x1b[0m")\n'
        'print("\\x1b[38;2;255;255;0mbright yellow\\x1b[0m \\x1b[44mon blue\\x1b[0m")\n'
        'print("10%\\r55%\\r100%")\n'
        'print("<b>not markup</b> \\x1b]8;;javascript:alert(1)\\x07link\\x1b]8;;\\x07")\n'
    ),
    "many.py": 'for number in range(100_000): print(f"line {number} of many")\n',
    # 20 MB: more than one range answer holds.
    "huge.py": (
        "import sys\n"
        "for number in range(1, 200_001):\n"
        "    sys.stdout.write(f'{number:099d}\\n')\n"
    ),
    "flaky.py": (
        "import os, sys\n"
        'print("attempt", os.environ["SCRIPT_RUNNER_ATTEMPT"])\n'
        'sys.exit(0 if os.environ["SCRIPT_RUNNER_ATTEMPT"] == "2" else 7)\n'
    ),
    "environment.py": (
        "import os, sys, json\n"
        'print(json.dumps([sys.argv[1:], os.environ.get("STAGE"), os.getcwd()]))\n'
    ),
    # Long enough for some samples.
    "measured.py": (
        "import sys, time\n"
        "until = time.monotonic() + 0.3\n"
        "while time.monotonic() < until:\n"
        "    sum(range(20_000))\n"
        'print("argument", sys.argv[1])\n'
    ),
}
