"""One file of labelled comparisons, by subset, from public preference data.

    python3 preference_pairs.py FOLDER OUT.jsonl

FOLDER holds llmbar_rewardbench_format.jsonl and human_pairs_llmbar_processed.jsonl (Zeng et al. 2023),
pandalm_999.jsonl (Wang et al. 2023; votes of three people, rows without a majority left out) and
xstest_should_respond.jsonl (Röttger et al. 2023; subsets joined).
"""

import json
import sys


def main():
    folder, out = sys.argv[1:]

    def rows(name):
        with open(f"{folder}/{name}.jsonl", encoding="utf-8") as file:
            return [json.loads(line) for line in file]

    def pair(row, subset, chosen, rejected):
        return {"id": row["id"], "subset": subset, "prompt": row["prompt"], "chosen": chosen,
                "rejected": rejected}

    found = []
    for name in ["llmbar_rewardbench_format", "human_pairs_llmbar_processed"]:
        found += [pair(r, r["subset"], r["chosen"], r["rejected"]) for r in rows(name)]
    for row in rows("pandalm_999"):
        if row["label"] in (1, 2):
            both = [row["response_1"], row["response_2"]]
            found.append(pair(row, "pandalm", both[row["label"] - 1], both[2 - row["label"]]))
    found += [
        pair(r, "xstest-should-respond", r["chosen"], r["rejected"])
        for r in rows("xstest_should_respond")
    ]
    with open(out, "w", encoding="utf-8") as file:
        for row in found:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
    print(len(found), "comparisons")


if __name__ == "__main__":
    main()
