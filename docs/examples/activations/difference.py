"""Layer by layer: how far apart are chosen and rejected answers, before and after training?

    python3 difference.py policy.h5 difference.svg

Reads what `spar train --capture policy.h5` writes.  Each answer becomes one vector a layer, the
mean of its tokens' residual stream; d = mean(chosen) - mean(rejected) over the pairs.
Needs h5py and matplotlib.
"""
import sys

import h5py
import matplotlib

matplotlib.use("svg")
matplotlib.rcParams["svg.hashsalt"] = "spar"
import matplotlib.pyplot as plt
import numpy as np

with h5py.File(sys.argv[1]) as f:
    offsets, label, step = (f["sample/" + name][()] for name in ("offsets", "label", "step"))
    layers = sorted(int(name) for name in f["residual"])
    steps = np.unique(step)[[0, -1]]
    # [layers, samples, channels]
    means = np.stack([
        np.add.reduceat(f[f"residual/{layer}"][()].astype(np.float32), offsets[:-1])
        / np.diff(offsets)[:, None] for layer in layers
    ])

norm = lambda x: np.linalg.norm(x, axis=-1)
difference, separation, answers = {}, {}, {}
for s in steps:
    chosen, rejected = means[:, (step == s) & (label > 0)], means[:, (step == s) & (label < 0)]
    pairs = chosen - rejected
    difference[s] = pairs.mean(1)
    # Were the pairs' differences mere scatter, their mean would have about this length.
    chance = np.sqrt(pairs.var(1).sum(-1) / pairs.shape[1])
    separation[s] = norm(difference[s]) / chance
    answers[s] = np.concatenate([chosen, rejected], 1)

first, last = steps
moved = norm(answers[last] - answers[first]) / norm(answers[first])
turned = (difference[first] * difference[last]).sum(-1) / (
    norm(difference[first]) * norm(difference[last]))

print("layer  separation before  after  cos(before, after)  answers moved by")
for i, layer in enumerate(layers):
    print(f"{layer:5}  {separation[first][i]:17.3f}  {separation[last][i]:5.3f}"
          f"  {turned[i]:18.4f}  {moved[i].mean():15.5f}")

figure, (upper, lower) = plt.subplots(2, 1, figsize=(6.4, 5.6), sharex=True)
for s, style in zip(steps, ("o-", "s--")):
    upper.plot(layers, separation[s], style, ms=3, label=f"after {s} steps")
upper.axhline(1, color="grey", lw=0.8)
upper.set_ylabel("|chosen - rejected| / chance")
upper.legend(frameon=False)
lower.plot(layers, 100 * moved.mean(1), "o-", ms=3, color="tab:green")
lower.set_ylabel("answers moved by training [%]")
lower.set_xlabel("layer (0 = embedding)")
figure.tight_layout()
figure.savefig(sys.argv[2], metadata={"Date": None})
