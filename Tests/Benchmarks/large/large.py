#!/usr/bin/env python3
"""Models of 7B and 8B shape, with random BF16 weights and few layers, loaded, scored and sampled.

    python3 Tests/Benchmarks/large/large.py make FOLDER [mistral-7b llama-3-8b]
    python3 Tests/Benchmarks/large/large.py run FOLDER .build/release/spar [stored f32]

`make` writes a Hugging Face folder per model (full width and vocabulary, 4 layers, 2.3 and 3.9 GB;
needs numpy).  `run` scores, generates and reads resident memory, split into pages of files and
private ones, from /proc/PID/status every 20 ms.
"""
import json
import os
import subprocess
import sys
import threading
import time

LAYERS = 4
SHAPES = {
    "mistral-7b": dict(
        model_type="mistral", architectures=["MistralForCausalLM"], vocab_size=32000,
        hidden_size=4096, intermediate_size=14336, num_attention_heads=32, num_key_value_heads=8,
        rms_norm_eps=1e-5, rope_theta=10000.0, sliding_window=4096, max_position_embeddings=32768),
    "llama-3-8b": dict(
        model_type="llama", architectures=["LlamaForCausalLM"], vocab_size=128256,
        hidden_size=4096, intermediate_size=14336, num_attention_heads=32, num_key_value_heads=8,
        rms_norm_eps=1e-5, rope_theta=500000.0, max_position_embeddings=8192),
}


def tensors(c):
    """Names and shapes in Hugging Face's order."""
    h, f = c["hidden_size"], c["intermediate_size"]
    kv = h // c["num_attention_heads"] * c["num_key_value_heads"]
    yield "model.embed_tokens.weight", [c["vocab_size"], h]
    for layer in range(LAYERS):
        at = f"model.layers.{layer}."
        yield at + "input_layernorm.weight", [h]
        yield at + "post_attention_layernorm.weight", [h]
        for name, shape in [("self_attn.q_proj", [h, h]), ("self_attn.k_proj", [kv, h]),
                            ("self_attn.v_proj", [kv, h]), ("self_attn.o_proj", [h, h]),
                            ("mlp.gate_proj", [f, h]), ("mlp.up_proj", [f, h]),
                            ("mlp.down_proj", [h, f])]:
            yield at + name + ".weight", shape
    yield "model.norm.weight", [h]
    yield "lm_head.weight", [c["vocab_size"], h]


def write_shards(folder, entries, parts=2):
    import numpy as np
    rng = np.random.default_rng(7)
    entries = list(entries)
    place, total = {}, 0
    for part in range(parts):
        mine = entries[part * len(entries) // parts:(part + 1) * len(entries) // parts]
        name = f"model-{part + 1:05d}-of-{parts:05d}.safetensors"
        header, at = {"__metadata__": {"format": "pt"}}, 0
        for tensor, shape in mine:
            size = 2 * int(np.prod(shape))
            header[tensor] = dict(dtype="BF16", shape=shape, data_offsets=[at, at + size])
            at += size
            place[tensor] = name
        total += at
        text = json.dumps(header).encode()
        text += b" " * (-len(text) % 8 + 1)  # an odd length: tensors then lie at odd addresses
        with open(f"{folder}/{name}", "wb") as out:
            out.write(len(text).to_bytes(8, "little") + text)
            for tensor, shape in mine:
                left = int(np.prod(shape))
                while left:
                    n = min(left, 1 << 22)
                    values = rng.standard_normal(n, dtype=np.float32) * 0.02
                    if len(shape) == 1:
                        values += 1
                    out.write((values.view(np.uint32) >> 16).astype(np.uint16).tobytes())
                    left -= n
    with open(f"{folder}/model.safetensors.index.json", "w") as out:
        json.dump(dict(metadata=dict(total_size=total), weight_map=place), out)


def byte_tokenizer():
    """Byte-level BPE without merges: 256 tokens."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    letters, extra = {}, 0
    for byte in range(256):
        letters[byte] = chr(byte) if byte in plain else chr(256 + extra)
        extra += byte not in plain
    byte_level = dict(type="ByteLevel", add_prefix_space=False, use_regex=True)
    return dict(version="1.0", added_tokens=[], normalizer=None, post_processor=None,
                pre_tokenizer=byte_level, decoder=byte_level,
                model=dict(type="BPE", vocab={letters[b]: b for b in range(256)}, merges=[]))


def make(folder, names):
    for name in names:
        at = f"{folder}/{name}"
        os.makedirs(at, exist_ok=True)
        config = dict(SHAPES[name], num_hidden_layers=LAYERS, tie_word_embeddings=False,
                      torch_dtype="bfloat16", hidden_act="silu", eos_token_id=300)
        json.dump(config, open(f"{at}/config.json", "w"), indent=1)
        json.dump(byte_tokenizer(), open(f"{at}/tokenizer.json", "w"))
        json.dump(dict(chat_template="{% for m in messages %}{{ m['content'] }}{% endfor %}"),
                  open(f"{at}/tokenizer_config.json", "w"))
        write_shards(at, tensors(config))


def watch(command):
    """Runs `command`; seconds, output, and the peaks of resident memory in MB."""
    start = time.time()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    peak = dict(RssFile=0, RssAnon=0)

    def poll():
        while process.poll() is None:
            try:
                for line in open(f"/proc/{process.pid}/status"):
                    key, _, value = line.partition(":")
                    if key in peak:
                        peak[key] = max(peak[key], int(value.split()[0]) // 1024)
            except (OSError, ProcessLookupError):
                return
            time.sleep(0.02)

    watcher = threading.Thread(target=poll)
    watcher.start()
    out, err = process.communicate()
    watcher.join()
    if process.returncode:
        sys.exit(f"{' '.join(command)}\n{err}")
    return time.time() - start, out, peak


def run(folder, spar, policies):
    score = f"{folder}/score.jsonl"
    with open(score, "w") as out:
        ids = [(i * 37 + 11) % 256 for i in range(150)]
        for k in range(4):
            row = dict(prompt_ids=ids, completion_ids=[(i * 91 + k) % 256 for i in range(150)])
            print(json.dumps(row), file=out)
    prompts = f"{folder}/prompts.jsonl"
    with open(prompts, "w") as out:
        print(json.dumps(dict(prompt="Tell me a story about a lighthouse.")), file=out)
    for name in sorted(os.listdir(folder)):
        model = f"{folder}/{name}"
        if not os.path.isdir(model):
            continue
        files = sum(os.path.getsize(f"{model}/{f}") for f in os.listdir(model)
                    if f.endswith(".safetensors"))
        print(f"{name}: {files / 1e6:.0f} MB of weights")
        sums = {}
        for policy in policies:
            seconds, out, peak = watch(
                [spar, "score", "--model", model, "--input", score, "--weights", policy])
            sums[policy] = [json.loads(line)["logps"] for line in out.splitlines()]
            print(f"  score    {policy:6} {seconds:6.1f} s  file pages {peak['RssFile']:6} MB, "
                  f"private {peak['RssAnon']:6} MB")
            seconds, out, peak = watch(
                [spar, "generate", "--model", model, "--prompts", prompts, "--weights", policy,
                 "--pairs", "2", "--max-new-tokens", "32", "--output", f"{folder}/out.h5",
                 "--jsonl", f"{folder}/out-{policy}.jsonl", "--json"])
            os.remove(f"{folder}/out.h5")
            made = json.loads(out)
            rate = made["tokens"] / made["seconds"]
            print(f"  generate {policy:6} {seconds:6.1f} s  file pages {peak['RssFile']:6} MB, "
                  f"private {peak['RssAnon']:6} MB, {rate:.2f} tokens/s")
        if len(policies) > 1:
            same = all(sums[p] == sums[policies[0]] for p in policies)
            answers = {open(f"{folder}/out-{p}.jsonl").read() for p in policies}
            print(f"  same log-probabilities: {same}; same answers: {len(answers) == 1}")


if __name__ == "__main__":
    if len(sys.argv) < 3 or sys.argv[1] not in ("make", "run"):
        sys.exit(__doc__)
    if sys.argv[1] == "make":
        make(sys.argv[2], sys.argv[3:] or list(SHAPES))
    else:
        run(sys.argv[2], sys.argv[3], sys.argv[4:] or ["stored"])
