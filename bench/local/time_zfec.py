"""zfec as a Python program uses it: whole calls, with the copies that they make.

    python time_zfec.py

Reads lines `encode K N LENGTH SECONDS` or `decode …` and answers each with the megabytes of text per
second of CPU time, for segments of LENGTH bytes. Decoding is from the last K shares, none of them
text where N allows.
"""

import os
import sys
import time

import zfec


def encoding(k, n, blocks):
    encoder = zfec.Encoder(k, n)
    return lambda: encoder.encode(blocks)


def decoding(k, n, blocks):
    shares = zfec.Encoder(k, n).encode(blocks)[-k:]
    # Where a share of the text is among them, it has to be in its own place.
    numbers = list(range(n - k, n))
    order = [number for number in numbers if number >= k]
    for number in numbers:
        if number < k:
            order.insert(number, number)
    decoder = zfec.Decoder(k, n)
    ordered = [shares[number - (n - k)] for number in order]
    return lambda: decoder.decode(ordered, order)


for line in sys.stdin:
    kind, k, n, length, seconds = line.split()
    k, n, block_length = int(k), int(n), -(-int(length) // int(k))
    call = {"encode": encoding, "decode": decoding}[kind](
        k, n, [os.urandom(block_length) for _ in range(k)]
    )
    call()
    calls, started = 0, time.process_time()
    while (spent := time.process_time() - started) < float(seconds):
        call()
        calls += 1
    print(calls * k * block_length / 1e6 / spent, flush=True)
