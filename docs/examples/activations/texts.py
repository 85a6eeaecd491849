"""The chosen and the rejected answer of every pair as lines for `spar activations`.

    python3 texts.py preferences.h5 candidates.h5 > texts.jsonl

Ids instead of text: what is looked at is token for token what was sampled.  Needs h5py.
"""
import json
import sys

import h5py

with h5py.File(sys.argv[1]) as p, h5py.File(sys.argv[2]) as c:
    K = int(p.attrs["K"])
    prompt, starts = c["prompt/ids"][()], c["prompt/offsets"][()]
    answer, begins = c["answer/ids"][()], c["answer/offsets"][()]
    for row in range(len(starts) - 1):
        for side in ("chosen", "rejected"):
            index = int(p[side][row])
            if index < 0:
                continue  # a prompt without a pair
            own = row * K + index
            print(json.dumps({
                "id": f"{row}/{side}",
                "prompt_ids": prompt[starts[row]:starts[row + 1]].tolist(),
                "completion_ids": answer[begins[own]:begins[own + 1]].tolist(),
            }))
