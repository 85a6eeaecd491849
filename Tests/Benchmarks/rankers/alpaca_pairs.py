"""Comparisons for `spar train-ranker` from AlpacaEval 2 annotations: candidate against candidate.

    python3 alpaca_pairs.py FOLDER OUT

FOLDER holds pairs_train.jsonl and pairs_val.jsonl: one line per instruction with `instruction` and
`candidates` of `output` and `preference` in [1, 2], the judge's weighted preference over a common
baseline.  Two candidates of an instruction are a comparison where their preferences differ by 0.3 or
more; chosen_probs is sigma(logit(p_i) - logit(p_j)), p = preference - 1 kept within 0.02 ... 0.98.

Writes fit.jsonl and select.jsonl (every tenth instruction of the training split), balanced by length:
all comparisons of like length (longer at most 1.15 times the shorter) and all that the shorter answer
wins, and as many that the longer one wins, drawn among the same answers.  fit-all.jsonl holds every
comparison of the instructions of fit.jsonl, select-like.jsonl the comparisons of like length of
select.jsonl, and test.jsonl every comparison of the validation split.
"""

import itertools
import json
import math
import random
import sys


def logit(preference):
    p = min(max(preference - 1, 0.02), 0.98)
    return math.log(p / (1 - p))


def comparisons(row):
    for a, b in itertools.combinations(row["candidates"], 2):
        if abs(a["preference"] - b["preference"]) < 0.3 or a["output"] == b["output"]:
            continue
        chosen, rejected = (a, b) if a["preference"] > b["preference"] else (b, a)
        odds = logit(chosen["preference"]) - logit(rejected["preference"])
        yield {
            "id": f"{row['index']}-{chosen['generator']}-{rejected['generator']}",
            "prompt": row["instruction"], "chosen": chosen["output"],
            "rejected": rejected["output"], "chosen_probs": round(1 / (1 + math.exp(-odds)), 6),
        }


def lengths(pair):
    return len(pair["chosen"]), len(pair["rejected"])


def is_like(pair):
    a, b = lengths(pair)
    return 100 * max(a, b) <= 115 * min(a, b)


def balanced(row, draw):
    pairs = list(comparisons(row))
    kept = [p for p in pairs if is_like(p) or lengths(p)[0] < lengths(p)[1]]
    texts = {text for p in kept for text in (p["chosen"], p["rejected"])}
    longer = [
        p for p in pairs
        if not is_like(p) and lengths(p)[0] > lengths(p)[1]
        and p["chosen"] in texts and p["rejected"] in texts
    ]
    wanted = sum(1 for p in kept if not is_like(p))
    return kept + draw.sample(longer, min(wanted, len(longer)))


def main():
    folder, out = sys.argv[1:]
    draw = random.Random(1)

    def rows(name):
        with open(f"{folder}/pairs_{name}.jsonl", encoding="utf-8") as file:
            return [json.loads(line) for line in file]

    def write(name, pairs):
        with open(f"{out}/{name}.jsonl", "w", encoding="utf-8") as file:
            for pair in pairs:
                file.write(json.dumps(pair, ensure_ascii=False) + "\n")
        print(name, len(pairs), "comparisons,",
              len({(p["prompt"], t) for p in pairs for t in (p["chosen"], p["rejected"])}), "answers")

    parts = {"fit": [], "select": [], "fit-all": []}
    for number, row in enumerate(rows("train")):
        name = "select" if number % 10 == 9 else "fit"
        parts[name] += balanced(row, draw)
        if name == "fit":
            parts["fit-all"] += comparisons(row)
    parts["select-like"] = [pair for pair in parts["select"] if is_like(pair)]
    for name, pairs in parts.items():
        write(name, pairs)
    write("test", [pair for row in rows("val") for pair in comparisons(row)])


if __name__ == "__main__":
    main()
