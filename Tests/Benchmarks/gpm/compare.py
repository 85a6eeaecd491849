"""Times `spar rank --ranker gpm` against transformers, on the same model and texts.

    spar model export smollm2-135m /tmp/gpm-bench/model
    python3 compare.py --spar .build/release/spar --model /tmp/gpm-bench/model

The model is SmolLM2-135M with random heads (d = 6, gate), added to its safetensors once. Transformers
gets K rows of prompt and answer for each prompt, padded on the left to one length, f32, as the
authors' ranking code feeds it. Spar's time is that of 1 + N prompts less that of one, so that
starting and loading do not count. The tables of both are compared as well.
"""

import argparse
import json
import os
import random
import statistics
import subprocess
import time

import h5py
import numpy as np
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, AutoTokenizer

D, TAU = 6, 0.1


def add_heads(folder):
    path = folder + "/model.safetensors"
    tensors = load_file(path)
    if "value_head.weight" in tensors:
        return tensors["value_head.weight"], tensors["prompt_head.weight"]
    width = tensors["model.norm.weight"].shape[0]
    torch.manual_seed(1)
    tensors["value_head.weight"] = torch.randn(D, width) * 0.1
    tensors["prompt_head.weight"] = torch.randn(D // 2, width) * 0.1
    save_file(tensors, path, {"format": "pt"})
    return tensors["value_head.weight"], tensors["prompt_head.weight"]


def text(tokenizer, tokens, generator):
    words = [generator.choice(WORDS) for _ in range(tokens)]
    while len(tokenizer.encode(" ".join(words))) > tokens:
        words.pop()
    return " ".join(words)


WORDS = (
    "river stone paper garden window morning kitchen winter train letter music "
    "question answer small bright quiet heavy early the a of and to in with for under over "
    "walks reads finds keeps opens turns seems grows falls carries"
).split()


def write_candidates(path, rows):
    strings = h5py.string_dtype("utf-8")
    k = len(rows[0][1])
    with h5py.File(path, "w") as f:
        f.attrs.create("schema", "spar.candidates", dtype=strings)
        f.attrs["schema_version"] = np.int64(1)
        f.attrs["K"] = np.int64(k)
        n = len(rows)
        f["prompt/index"] = np.arange(n)
        f.create_dataset("prompt/id", data=[f"p{i}" for i in range(n)], dtype=strings)
        messages = [json.dumps([{"role": "user", "content": p}]) for p, _ in rows]
        f.create_dataset("prompt/messages", data=messages, dtype=strings)
        f["prompt/ids"] = np.zeros(n, np.int32)
        f["prompt/offsets"] = np.arange(n + 1)
        f["answer/ids"] = np.zeros(n * k, np.int32)
        f["answer/offsets"] = np.arange(n * k + 1)
        f["answer/logps"] = np.zeros(n * k, np.float32)
        f["answer/finish"] = np.ones((n, k), np.int8)
        f.create_dataset("answer/text", data=np.array([a for _, a in rows], object), dtype=strings)


def spar(program, model, candidates, output, threads):
    start = time.monotonic()
    subprocess.run(
        [program, "rank", "--candidates", candidates, "--output", output, "--ranker", "gpm",
         "--ranker-option", f"model={model}", "--threads", str(threads)],
        check=True, capture_output=True)
    return time.monotonic() - start


def reference(tokenizer, model, heads, rows):
    value, gate = heads
    tables, seconds = [], []
    bos = tokenizer.bos_token
    for prompt, answers in rows:
        turn = [{"role": "user", "content": prompt}]
        whole = [
            tokenizer.apply_chat_template(
                turn + [{"role": "assistant", "content": a}], tokenize=False).replace(bos, "")
            for a in answers]
        alone = tokenizer.apply_chat_template(turn, tokenize=False).replace(bos, "")
        start = time.monotonic()
        length = len(tokenizer.encode(alone, add_special_tokens=False))
        batch = tokenizer(
            whole, add_special_tokens=False, padding=True, padding_side="left",
            return_tensors="pt")
        with torch.no_grad():
            mask = batch["attention_mask"]
            positions = (mask.cumsum(-1) - 1).masked_fill(mask == 0, 1)
            hidden = model.model(
                input_ids=batch["input_ids"], attention_mask=mask, position_ids=positions
            ).last_hidden_state
            v = torch.nn.functional.normalize(hidden[:, -1] @ value.T, dim=-1)
            rest = mask.sum(-1) - length
            h = torch.stack([hidden[i, -1 - int(rest[i])] for i in range(len(answers))])
            lam = torch.softmax(h @ gate.T, -1)
            cross = v[:, None, 0::2] * v[None, :, 1::2] - v[:, None, 1::2] * v[None, :, 0::2]
            tables.append(((lam[:, None] * cross).sum(-1) / TAU).double().numpy())
        seconds.append(time.monotonic() - start)
    return tables, seconds


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--spar", required=True)
    p.add_argument("--model", required=True, help="exported folder; heads are added to it")
    p.add_argument("--work", default="/tmp/gpm-bench")
    p.add_argument("--prompts", type=int, default=4)
    p.add_argument("--threads", type=int, default=2)
    a = p.parse_args()
    os.makedirs(a.work, exist_ok=True)
    torch.set_num_threads(a.threads)
    heads = add_heads(a.model)
    tokenizer = AutoTokenizer.from_pretrained(a.model)
    tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token
    model = AutoModelForCausalLM.from_pretrained(a.model, dtype=torch.float32).eval()
    for tokens in (150, 600):
        generator = random.Random(tokens)
        rows = [
            (text(tokenizer, tokens, generator),
             [text(tokenizer, generator.randint(120, 180), generator) for _ in range(5)])
            for _ in range(a.prompts + 1)]
        one, all_ = a.work + "/one.h5", a.work + "/all.h5"
        write_candidates(one, rows[:1])
        write_candidates(all_, rows)
        reference(tokenizer, model, heads, rows[:1])
        tables, seconds = reference(tokenizer, model, heads, rows)
        ours = []
        for _ in range(3):
            first = spar(a.spar, a.model, one, a.work + "/one-preferences.h5", a.threads)
            both = spar(a.spar, a.model, all_, a.work + "/preferences.h5", a.threads)
            ours.append((both - first) / a.prompts)
        with h5py.File(a.work + "/preferences.h5") as f:
            raw = f["raw"][:]
        drift = max(abs(raw[i] - t).max() for i, t in enumerate(tables))
        theirs, mine = statistics.median(seconds[1:]), statistics.median(ours)
        print(
            f"prompt {tokens}, K = 5: transformers {theirs:.3f} s, spar {mine:.3f} s a prompt "
            f"({min(ours):.3f} – {max(ours):.3f}), ratio {theirs / mine:.2f}, "
            f"largest difference of M {drift:.2e}")


main()
