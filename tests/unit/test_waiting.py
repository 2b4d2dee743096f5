"""Waiting: streams and timers, one after the other, on both interpreters."""

import socket

from agent.interpreter import Clock, send_to
from agent.waiting import Waiting


class Ticks:
    """A clock that stands still until it is told."""

    def __init__(self):
        self.at = 0

    def now(self):
        return self.at


def make_socket():
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setblocking(False)
    return sock


def bound(sock):
    """The port that it got: others may play this on the same machine, and MicroPython does not say which is free."""
    for port in range(17731, 17831):
        try:
            sock.bind(socket.getaddrinfo("127.0.0.1", port)[0][-1])
            return port
        except OSError:
            pass
    raise AssertionError("no port is free")


def test_timers_run_when_due_and_once():
    clock, told = Ticks(), []
    waiting = Waiting(clock)
    waiting.after(20, "b", lambda: told.append("b"))
    waiting.after(10, "a", lambda: told.append("a"))
    waiting.turn(0)
    assert told == []
    clock.at = 10
    waiting.turn(None)
    assert told == ["a"]
    clock.at = 50
    waiting.turn(0)
    waiting.turn(0)
    assert told == ["a", "b"]


def test_a_timer_is_put_off_and_forgotten():
    clock, told = Ticks(), []
    waiting = Waiting(clock)
    waiting.after(10, "a", lambda: told.append("early"))
    waiting.after(30, "a", lambda: told.append("late"))
    waiting.after(10, "b", lambda: told.append("never"))
    waiting.forget("b")
    waiting.forget("unknown")
    clock.at = 20
    waiting.turn(0)
    assert told == []
    clock.at = 30
    waiting.turn(0)
    assert told == ["late"]


def test_a_timer_that_is_always_due_leaves_room_for_others():
    clock, told = Ticks(), []
    waiting = Waiting(clock)

    def again():
        told.append(1)
        waiting.after(0, "again", again)

    waiting.after(0, "again", again)
    waiting.turn(None)
    assert told == [1]


def test_one_timer_takes_another_back():
    clock, told = Ticks(), []
    waiting = Waiting(clock)

    def run(name, other):
        told.append(name)
        waiting.forget(other)

    waiting.after(5, "a", lambda: run("a", "b"))
    waiting.after(5, "b", lambda: run("b", "a"))
    clock.at = 5
    waiting.turn(0)
    waiting.turn(0)
    assert told in (["a"], ["b"])  # dicts keep no order on MicroPython


def test_it_sleeps_until_the_time_that_is_given():
    clock = Clock()
    waiting, due = Waiting(clock), clock.now() + 20
    for _ in range(50):
        if clock.now() >= due:
            break
        waiting.turn(due)
    assert clock.now() >= due


def test_streams_are_heard_until_taken_off():
    waiting, told = Waiting(Clock()), []
    here, there = make_socket(), make_socket()
    port = bound(here)

    def read():
        told.append(here.recv(16))
        if told[-1] == b"2":
            waiting.off(here)

    waiting.on(here, read)
    for data in (b"1", b"2", b"3"):
        send_to(there, data, ("127.0.0.1", port))
        waiting.after(1000, "enough", lambda: None)
        waiting.turn(None if data != b"3" else 0)
    waiting.off(here)  # twice is once
    here.close()
    there.close()
    assert told == [b"1", b"2"]
