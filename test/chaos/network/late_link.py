"""A link of a test network, for kernels without netem: what comes out of one TAP device goes into another.

    python3 late_link.py OWNER DELAY_MS NEAR FAR

makes the devices NEAR and FAR, prints the id of the process that joins them and leaves it behind. After
SIGUSR1 frames from NEAR to FAR are late by DELAY_MS, after SIGUSR2 no longer. Ends with the process OWNER.
"""

import collections
import fcntl
import os
import select
import signal
import struct
import sys
import time

TUNSETIFF = 0x400454CA
IFF_TAP = 0x0002
IFF_NO_PI = 0x1000
MAX_FRAME_BYTES = 65_536
# About a second of a fast link; what comes on top is lost, as in a router.
MAX_QUEUED_FRAMES = 50_000
# How often it is seen to that the owner is alive, in seconds.
WATCH_S = 1.0


def open_tap(name):
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TAP | IFF_NO_PI))
    return device


def is_alive(process):
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def send(device, frame):
    try:
        os.write(device, frame)
    except OSError:
        # The device is down, or full: the frame is lost.
        pass


def frames(device):
    while True:
        try:
            yield os.read(device, MAX_FRAME_BYTES)
        except BlockingIOError:
            return
        except OSError:
            # The device is down for now.
            time.sleep(0.01)
            return


def join(near, far, delay_s, owner):
    delay = 0.0
    queue = collections.deque()

    def late(*_):
        nonlocal delay
        delay = delay_s

    def punctual(*_):
        nonlocal delay
        delay = 0.0

    signal.signal(signal.SIGUSR1, late)
    signal.signal(signal.SIGUSR2, punctual)
    watch_at = time.monotonic()
    while True:
        now = time.monotonic()
        if now >= watch_at:
            if not is_alive(owner):
                return
            watch_at = now + WATCH_S
        while queue and queue[0][0] <= now:
            send(far, queue.popleft()[1])
        due = min(watch_at, queue[0][0]) if queue else watch_at
        readable, _, _ = select.select([near, far], [], [], max(0.0, due - now))
        now = time.monotonic()
        if near in readable:
            for frame in frames(near):
                # In order, also when the delay has just become shorter.
                if delay == 0 and not queue:
                    send(far, frame)
                elif len(queue) < MAX_QUEUED_FRAMES:
                    queue.append((now + delay, frame))
        if far in readable:
            for frame in frames(far):
                send(near, frame)


def main(owner, delay_ms, near, far):
    devices = open_tap(near), open_tap(far)
    child = os.fork()
    if child > 0:
        print(child)
        return
    os.setsid()
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in range(3):
        os.dup2(nothing, stream)
    join(*devices, int(delay_ms) / 1000, int(owner))


if __name__ == "__main__":
    main(*sys.argv[1:])
