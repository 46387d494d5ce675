"""Scripts that behave badly, one function each. Arguments: ledger, tag, animal.

Every process notes itself in the ledger, so that the test can look for it afterwards.
"""

import fcntl
import multiprocessing
import os
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time

from job import note

LONG = 300
LEDGER, TAG = "", ""


def mark(word="child"):
    """Note the calling process in the ledger."""
    note(LEDGER, word, TAG)


def sleep_on():
    """Be a process that nobody wants."""
    mark()
    time.sleep(LONG)


def fork_off(work, *, new_session=False):
    """Run ``work`` in a child that never comes back."""
    pid = os.fork()
    if pid:
        return pid
    if new_session:
        os.setsid()
    work()
    os._exit(0)


def make_daemon(work=sleep_on):
    """Run ``work`` in a grandchild whose parent is gone, in a session of its own."""

    def middle():
        fork_off(work)

    os.waitpid(fork_off(middle, new_session=True), 0)


def wait_for_children(count):
    """Return when so many processes have noted themselves."""
    while True:
        with open(LEDGER) as file:
            lines = [line.split() for line in file]
        if sum(line[0] == "child" and line[3] == TAG for line in lines) >= count:
            return
        time.sleep(0.01)


# What outlives the script


def daemon():
    make_daemon()
    wait_for_children(1)
    sys.exit(3)


def fifty_daemons():
    for _ in range(50):
        make_daemon()
    wait_for_children(50)
    sys.exit(3)


def session_leader():
    fork_off(sleep_on, new_session=True)
    wait_for_children(1)


def nameless_daemon():
    """Its environment, and with it the run id, is gone."""

    def lose_environment():
        mark()
        os.execve("/bin/sleep", ["sleep", str(LONG)], {})

    make_daemon(lose_environment)
    wait_for_children(1)
    sys.exit(5)


def shell_background():
    subprocess.run(f"nohup sleep {LONG} >/dev/null 2>&1 &", shell=True, check=True)


def held_stdout():
    fork_off(sleep_on)
    wait_for_children(1)
    print("the grandchild still has my standard output", flush=True)


def worker_pool():
    pool = multiprocessing.get_context("fork").Pool(3, initializer=mark)
    pool.apply_async(time.sleep, (LONG,))
    wait_for_children(3)
    os._exit(0)  # the pool is never told


def own_subreaper():
    import ctypes

    ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)
    make_daemon()
    wait_for_children(1)


def deaf_daemon():
    def work():
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        sleep_on()

    make_daemon(work)
    wait_for_children(1)


# Orders and time limits


def deaf():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    mark("ready")
    time.sleep(LONG)


def frozen():
    mark("ready")
    os.kill(os.getpid(), signal.SIGSTOP)
    time.sleep(LONG)


def last_words():
    """Its handler runs, and decides the exit code."""

    def handle(*_):
        print("last words", flush=True)
        sys.exit(7)

    signal.signal(signal.SIGTERM, handle)
    mark("ready")
    time.sleep(LONG)


def polite_parent():
    """Ends at once when asked, but its child, in a group of its own, does not."""

    def work():
        os.setpgid(0, 0)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        sleep_on()

    fork_off(work)
    wait_for_children(1)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    mark("ready")
    time.sleep(LONG)


def fork_bomb():
    """Doubles until there are some hundred processes, each of which goes on doubling."""
    limit = time.monotonic() + LONG
    mark("ready")
    count = 0
    while time.monotonic() < limit:
        if count < 8:  # 2 to the 8th
            count += 1
            if os.fork() == 0:
                mark()
        else:
            time.sleep(0.01)


# Deaths


def shot_itself():
    os.kill(os.getpid(), signal.SIGKILL)


def segfault():
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.kill(os.getpid(), signal.SIGSEGV)


def loud_death():
    block = b"0123456789abcdef" * 65536
    for _ in range(50):
        os.write(1, block)
    os.kill(os.getpid(), signal.SIGUSR1)


def exit_255():
    sys.exit(255)


def killed_keeper():
    make_daemon()
    wait_for_children(1)
    os.kill(os.getppid(), signal.SIGKILL)
    time.sleep(LONG)


def stopped_keeper():
    """Nobody hears of its end before somebody asks for it."""
    os.kill(os.getppid(), signal.SIGSTOP)
    mark("ready")
    time.sleep(LONG)


# Descriptors and files


def closed_descriptors():
    for descriptor in range(3):
        os.close(descriptor)
    os._exit(4)


def every_descriptor():
    """Whatever it was given beyond 0, 1 and 2 would be ours."""
    found = [int(name) for name in os.listdir("/proc/self/fd")]
    extra = [
        each for each in found if each > 2 and os.path.exists(f"/proc/self/fd/{each}")
    ]
    print(extra)
    sys.exit(len(extra))


def rewritten_stdout():
    print("what was said before", flush=True)
    with open("/dev/stdout", "w") as file:
        file.write("what was said after\n")


def sparse_stdout():
    """A hole of a tebibyte, written without O_APPEND."""
    fcntl.fcntl(1, fcntl.F_SETFL, 0)
    os.write(1, b"head\n")
    os.pwrite(1, b"tail\n", 1 << 40)
    time.sleep(0.5)


def lost_folder():
    shutil.rmtree(os.getcwd())
    print("still here")


def lost_script():
    os.unlink(sys.argv[0])
    print("still here")


def became_another():
    os.execv("/bin/sh", ["sh", "-c", "echo another; exit 6"])


# Threads


def slow_thread():
    def work():
        time.sleep(0.5)
        print("the thread is done", flush=True)

    threading.Thread(target=work).start()


def many_threads():
    for _ in range(200):
        threading.Thread(target=time.sleep, args=(LONG,), daemon=True).start()
    print(threading.active_count())


def main():
    """Be the animal that the arguments name."""
    global LEDGER, TAG
    LEDGER, TAG, animal = sys.argv[1:4]
    mark("begin")
    globals()[animal]()


if __name__ == "__main__":
    main()
