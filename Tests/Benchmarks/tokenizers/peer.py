"""What `spar bench tokenize` measures, with Hugging Face tokenizers: peer.py TOKENIZER.json TEXT.

The median of three runs with whatever the library remembers between them, as there."""
import json
import sys
import time

from tokenizers import Tokenizer

tokenizer = Tokenizer.from_file(sys.argv[1])
text = open(sys.argv[2], encoding="utf-8", newline="").read()
size = len(text.encode())
lines = [line for line in text.split("\n") if line]


def measure(way, encode):
    rates = []
    for _ in range(3):
        start = time.perf_counter()
        tokens = encode()
        rates.append(size / (time.perf_counter() - start) / 1e6)
    rates.sort()
    print(json.dumps({"way": way, "tokens": tokens, "megabytes_per_second": round(rates[1], 3),
                      "minimum": round(rates[0], 3), "maximum": round(rates[2], 3)}), flush=True)


measure("one string", lambda: len(tokenizer.encode(text, add_special_tokens=False).ids))
measure("line by line", lambda: sum(len(tokenizer.encode(x, add_special_tokens=False).ids) for x in lines))
