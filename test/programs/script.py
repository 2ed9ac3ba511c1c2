# SPDX-License-Identifier: BSD-2-Clause
# Role: python3 at work: dictionaries, strings, regular expressions, JSON, big integers, threads, exceptions.
import collections
import json
import re
import threading
import zlib


def words(count):
    state = 1
    for _ in range(count):
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        yield "".join(chr(97 + (state >> shift) % 26) for shift in range(20, 20 + state % 30))


def tally():
    counts = collections.Counter(words(20000))
    index = collections.defaultdict(list)
    for word in counts:
        index[len(word)].append(word)
    return {str(length): sorted(found)[:20] for length, found in index.items()}


def rewritten(text):
    text = re.sub(r"([a-z])\1", lambda m: m.group(1).upper() * 2, text)
    return re.findall(r"[A-Z]{2}[a-z]+", text)


def in_threads(count):
    results = [None] * count

    def work(me):
        data = [bytes([me]) * n for n in range(2000)]
        results[me] = zlib.crc32(b"".join(data))

    threads = [threading.Thread(target=work, args=(me,)) for me in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def unwound(depth):
    try:
        return unwound(depth - 1) if depth else {}["missing"]
    except KeyError as error:
        return repr(error)


text = json.dumps(tally(), sort_keys=True, indent=1)
print(text)
print(json.loads(text) == json.loads(json.dumps(json.loads(text))))
print(len(rewritten(text)), rewritten(text)[:30])
print(3**4000 % 10**50, (7**20000).bit_length(), str(7**4000)[:60])
print(in_threads(4))
print(unwound(200))
