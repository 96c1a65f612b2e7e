#!/usr/bin/env python3
"""Offers a Lifesign server ten times what it can answer, and says whether it keeps its promises.

    cargo build --release && cargo install oha
    tests/overload/overload.py [--seconds 300] [--times 10]

Starts target/release/lifesign on a folder of its own, measures its capacity (a closed loop that keeps it just busy),
offers that many times over in an open loop (oha sends at its rate whether or not answers come, and counts a request's time
from when it was due), and asks once every 50 ms after the end. Everything runs on one machine, so the generator
takes its part of the processor from the server. Exit status 1 where a promise is broken."""

import argparse
import json
import os
import re
import shutil
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

ROUTE = "/v2/face-recognition/liveness"
ROOT = Path(__file__).resolve().parents[2]


def start(binary, folder):
    """The server's process, its address and a token."""
    log = open(folder / "log", "w")
    process = subprocess.Popen(
        [binary, "serve", "--listen", "127.0.0.1:0", "--data-dir", folder / "data"], stdout=subprocess.PIPE, stderr=log, text=True
    )
    told = []
    deadline = time.monotonic() + 60
    address = None
    token = None
    for line in process.stdout:
        told.append(line)
        token = token or next(iter(re.findall(r"Bearer (\S+?)['\"]", line)), None)
        address = address or next(iter(re.findall(r"http://127\.0\.0\.1:\d+", line)), None)
        if "sample-request.json" in line or time.monotonic() > deadline:
            break
    threading.Thread(target=process.stdout.read, daemon=True).start()
    if not (address and token):
        sys.exit("the server did not start:\n" + "".join(told))
    return process, address, token


def oha(address, token, body, seconds, connections, rate, folder, name):
    """(seconds from when it was due, status, seconds it took) of every request that was answered."""
    database = folder / f"{name}.db"
    command = ["oha", "--no-tui", "--output-format", "json", "-z", f"{seconds}s", "-c", str(connections), "-m", "POST", "-D", body,
               "-H", f"Authorization: Bearer {token}", "-T", "application/json", "--db-url", str(database), "-w"]
    if rate:
        command += ["-q", str(rate), "--latency-correction"]
    done = subprocess.run(command + [address + ROUTE], capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr)
    errors = json.loads(done.stdout)["errorDistribution"]
    rows = sqlite3.connect(database).execute("SELECT status, duration FROM oha").fetchall()
    return rows, errors


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")


class Memory(threading.Thread):
    """Resident memory of a process, once a second, in MB."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid, self.samples, self.over = pid, [], threading.Event()
        self.start()

    def run(self):
        while not self.over.wait(1):
            pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
            self.samples.append(pages * os.sysconf("SC_PAGE_SIZE") / 1e6)


def ask(address, token, body):
    request = urllib.request.Request(address + ROUTE, data=body, method="POST")
    request.add_header("Authorization", f"Bearer {token}")
    request.add_header("Content-Type", "application/json")
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status
    except urllib.error.HTTPError as refused:
        return refused.code


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--seconds", type=int, default=300, help="how long the overload lasts")
    options.add_argument("--times", type=float, default=10, help="how many times the capacity is offered")
    options.add_argument("--binary", default=ROOT / "target/release/lifesign")
    given = options.parse_args()
    if not shutil.which("oha"):
        sys.exit("needs oha: cargo install oha")
    deadline = 10.0  # the default of queue_timeout

    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        server, address, token = start(given.binary, folder)
        try:
            sample = folder / "data/sample-request.json"
            body = sample.read_bytes()
            cores = len(os.sched_getaffinity(0))
            oha(address, token, sample, 5, 2 * cores, None, folder, "warm")
            before, _ = oha(address, token, sample, 30, 2 * cores, None, folder, "peak")
            peak = sum(status == 200 for status, _ in before) / 30
            print(f"capacity: {peak:.1f} answers/s ({2 * cores} connections without a pause, request of {len(body)} bytes, {cores} cores)")

            memory = Memory(server.pid)
            rate = round(peak * given.times)
            began = time.monotonic()
            rows, errors = oha(address, token, sample, given.seconds, 512 - 12, rate, folder, "overload")
            took = time.monotonic() - began
            ended = time.monotonic()
            recovered = None
            while time.monotonic() - ended < 30:
                asked = time.monotonic()
                if ask(address, token, body) == 200:
                    recovered = time.monotonic() - ended
                    alone = time.monotonic() - asked
                    break
                time.sleep(0.05)
            memory.over.set()
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(60)

        accepted = [duration for status, duration in rows if status == 200]
        refused = [duration for status, duration in rows if status in (429, 503)]
        other = len(rows) - len(accepted) - len(refused)
        throughput = len(accepted) / took
        half = len(memory.samples) // 2
        first, second = (statistics.median(part) for part in (memory.samples[5:half], memory.samples[half:]))
        print(f"offered:  {rate}/s for {given.seconds} s; sent {len(rows)} ({len(rows) / took:.0f}/s)")
        print(f"accepted: {len(accepted)} ({throughput:.1f}/s, {throughput / peak:.0%} of the capacity); "
              f"p50 {percentile(accepted, .5):.3f} s, p99 {percentile(accepted, .99):.3f} s, longest {max(accepted):.3f} s")
        print(f"refused:  {len(refused)}; p50 {1e3 * percentile(refused, .5):.1f} ms, p99 {1e3 * percentile(refused, .99):.1f} ms, "
              f"p99.9 {1e3 * percentile(refused, .999):.1f} ms, longest {1e3 * max(refused, default=0):.0f} ms")
        print(f"other answers: {other}; errors: {errors}")
        print(f"memory:   median {first:.0f} MB in the first half, {second:.0f} MB in the second, at most {max(memory.samples):.0f} MB")
        print(f"recovery: answered 200 {recovered:.3f} s after the end (that request took {alone:.3f} s)")
        promises = {
            "throughput within 10 % of the capacity": throughput >= 0.9 * peak,
            "p99 of the accepted under the deadline": percentile(accepted, 0.99) < deadline,
            "p99 of the refused within 100 ms": percentile(refused, 0.99) <= 0.1,
            "nothing but 200, 429 and 503": other == 0,
            "memory flat": second <= 1.05 * first,
            "recovery under a second": recovered is not None and recovered < 1,
        }
        for promise, kept in promises.items():
            print(f"{'kept  ' if kept else 'BROKEN'}  {promise}")
        sys.exit(0 if all(promises.values()) else 1)


if __name__ == "__main__":
    main()
