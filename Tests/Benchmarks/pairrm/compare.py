"""PairRM's full table: Spar against transformers' DeBERTa on torch, one run on one machine.

    swift build -c release
    python Tests/Benchmarks/pairrm/compare.py .build/release/spar [--folder /tmp/pairrm-large] [--q8]

Needs torch, transformers, safetensors and numpy. Writes a random model of PairRM-large's shape once
(f32, 1.7 GB; 24 layers of 1024, 16 heads, feed-forward of 4096, 128005 tokens), then times

  spar   `spar bench rank`: all 20 ordered pairs of 5 answers, prompt and answers of 150 tokens
  q8     with --q8: the same with weights rounded to Q8_0 and products in 8-bit numbers
  torch  the same sequences through DebertaV2Model in f32, padded batches of one and of four pairs, as
         LLM-Blender feeds them

and compares the hidden states at the marks with torch's, and the table M that PairRM's head makes of
them in f32 with that of Q8_0.  Rounds of the programs take turns; medians are compared.
"""
import argparse, json, os, statistics, subprocess, time


def write_model(folder):
    import numpy as np
    from safetensors.numpy import save_file

    os.makedirs(folder, exist_ok=True)
    width, wide, layers, rows, vocabulary = 1024, 4096, 24, 512, 128005
    config = dict(
        model_type="deberta-v2", vocab_size=vocabulary, hidden_size=width, num_hidden_layers=layers,
        num_attention_heads=16, intermediate_size=wide, hidden_act="gelu", layer_norm_eps=1e-7,
        max_position_embeddings=512, max_relative_positions=-1, position_buckets=rows // 2,
        relative_attention=True, norm_rel_ebd="layer_norm", share_att_key=True,
        pos_att_type=["p2c", "c2p"], position_biased_input=False, type_vocab_size=0, pad_token_id=0)
    random = np.random.default_rng(1)
    normal = lambda *shape: random.standard_normal(shape, dtype=np.float32) * np.float32(0.02)
    tensors = {}

    def dense(name, n, k):
        tensors[f"pretrained_model.{name}.weight"] = normal(n, k)
        tensors[f"pretrained_model.{name}.bias"] = normal(n)

    def norm(name):
        tensors[f"pretrained_model.{name}.weight"] = np.ones(width, np.float32)
        tensors[f"pretrained_model.{name}.bias"] = np.zeros(width, np.float32)

    tensors["pretrained_model.embeddings.word_embeddings.weight"] = normal(vocabulary, width)
    norm("embeddings.LayerNorm")
    tensors["pretrained_model.encoder.rel_embeddings.weight"] = normal(rows, width)
    norm("encoder.LayerNorm")
    for i in range(layers):
        layer = f"encoder.layer.{i}."
        for part in ("query", "key", "value"):
            dense(f"{layer}attention.self.{part}_proj", width, width)
        dense(f"{layer}attention.output.dense", width, width)
        norm(f"{layer}attention.output.LayerNorm")
        dense(f"{layer}intermediate.dense", wide, width)
        dense(f"{layer}output.dense", width, wide)
        norm(f"{layer}output.LayerNorm")
    tensors["head_layer.1.weight"], tensors["head_layer.1.bias"] = normal(width, 2 * width), normal(width)
    tensors["head_layer.4.weight"], tensors["head_layer.4.bias"] = normal(1, width), normal(1)
    save_file(tensors, folder + "/model.safetensors")
    with open(folder + "/config.json", "w") as file:
        json.dump(config, file, indent=1)


def table(answers, prompt, answer, vocabulary):
    """The ids of `spar bench rank`, and the rows of the marks."""
    x = 1

    def text(count):
        nonlocal x
        ids = []
        for _ in range(count):
            x = (x * 6364136223846793005 + 1442695040888963407) % 2**64
            ids.append((x >> 33) % (vocabulary - 8) + 4)
        return ids

    part = lambda mark, ids: [1, vocabulary - 5 + mark] + ids + [2]
    source = part(1, text(prompt))
    texts = [text(answer) for _ in range(answers)]
    pairs = []
    for i in range(answers):
        for j in range(answers):
            if i != j:
                first = part(2, texts[i])
                rows = [1, len(source) + 1, len(source) + len(first) + 1]
                pairs.append((source + first + part(3, texts[j]), rows))
    return pairs


class Torch:
    def __init__(self, folder, threads):
        import torch
        from safetensors.torch import load_file
        from transformers import DebertaV2Config, DebertaV2Model

        torch.set_num_threads(threads)
        self.model = DebertaV2Model(DebertaV2Config.from_pretrained(folder)).float().eval()
        prefix = "pretrained_model."
        weights = load_file(folder + "/model.safetensors")
        weights = {k[len(prefix):]: v for k, v in weights.items() if k.startswith(prefix)}
        self.model.load_state_dict(weights, strict=False)

    def states(self, pairs):
        """Of one padded batch."""
        import torch

        longest = max(len(ids) for ids, _ in pairs)
        with torch.no_grad():
            ids = torch.tensor([ids + [0] * (longest - len(ids)) for ids, _ in pairs])
            mask = torch.tensor([[1] * len(ids) + [0] * (longest - len(ids)) for ids, _ in pairs])
            return self.model(ids, attention_mask=mask).last_hidden_state

    def round(self, pairs):
        """(seconds, processor seconds) a pair by size of batch."""
        times = {}
        for batch in (1, 4) if len(pairs) % 4 == 0 else (1,):
            start, used = time.perf_counter(), time.process_time()
            for first in range(0, len(pairs), batch):
                self.states(pairs[first:first + batch])
            times[batch] = (
                (time.perf_counter() - start) / len(pairs), (time.process_time() - used) / len(pairs))
        return times

    def marks(self, pair):
        states = self.states([pair])[0]
        return [x for row in pair[1] for x in states[row].tolist()]


def head(folder, states):
    """raw of every pair from its states at the three marks."""
    import numpy as np
    from safetensors.numpy import load_file

    weights = load_file(folder + "/model.safetensors")
    w1, b1 = weights["head_layer.1.weight"], weights["head_layer.1.bias"]
    w2 = weights["head_layer.4.weight"][0]
    f = lambda s, c: np.tanh(w1 @ np.concatenate([s, c]) + b1) @ w2
    marks = np.array(states, np.float32).reshape(len(states), 3, -1)
    return np.array([f(s, one) - f(s, two) for s, one, two in marks])


def run_spar(given, *more):
    result = json.loads(subprocess.run(
        [given.spar, "bench", "rank", "--model", given.folder, "--json", "--threads",
         str(given.threads), "--repetitions", "1", "--answers", str(given.answers), *more],
        check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout)
    measured = result["measured"]
    return measured, (
        result["seconds_per_pair"], measured["processor_seconds"] / measured["pairs"])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("spar")
    parser.add_argument("--folder", default="/tmp/pairrm-large")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--answers", type=int, default=5)
    parser.add_argument("--pairs", type=int, default=4, help="pairs that torch does; batches of 4 if a multiple of 4")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--q8", action="store_true", help="also weights in Q8_0, products in 8 bits")
    given = parser.parse_args()
    if not os.path.exists(given.folder + "/config.json"):
        write_model(given.folder)
    programs = {"spar": ()}
    if given.q8:
        programs["q8"] = ("--weights", "q8_0", "--backend", "openblas:products=int8")
    measured, times, torch, pairs = {}, {}, None, None
    for _ in range(given.rounds):
        for name, more in programs.items():
            measured[name], one = run_spar(given, *more)
            times.setdefault(name, []).append(one)
        if torch is None:
            facts = measured["spar"]
            pairs = table(
                facts["answers"], facts["prompt_tokens"], facts["answer_tokens"], 128005)
            torch = Torch(given.folder, given.threads)
            torch.states(pairs[:1])  # warms up
        for batch, one in torch.round(pairs[:given.pairs]).items():
            times.setdefault(f"torch, batches of {batch}", []).append(one)
    facts = measured["spar"]
    dense = facts["dense_operations"] / facts["pairs"] / 1e9
    print(f"threads {given.threads}, {facts['pairs']} pairs of {facts['tokens_per_pair']} tokens a "
          f"table, {given.rounds} rounds; sgemm {facts['sgemm_before']:.0f}, "
          f"{facts['sgemm_after']:.0f} GFLOP/s")
    medians = {}
    for name, all in times.items():
        clock, used = zip(*all)
        medians[name] = (statistics.median(clock), statistics.median(used))
        memory = f", peak {measured[name]['peak_memory_bytes'] / 1e9:.2f} GB" if name in measured else ""
        print(f"{name:20} {medians[name][0]:.3f} s a pair ({min(clock):.3f} – {max(clock):.3f}), "
              f"{medians[name][1]:.3f} of processors ({min(used):.3f} – {max(used):.3f}), "
              f"{dense / medians[name][0]:.0f} GFLOP/s dense{memory}")
    peers = [v for k, v in medians.items() if k.startswith("torch")]
    for name in programs:
        print(f"{name}: best of torch / {name} = {min(p[0] for p in peers) / medians[name][0]:.2f} by the "
              f"clock, {min(p[1] for p in peers) / medians[name][1]:.2f} by processor time")
    right = torch.marks(pairs[-1])
    difference = max(abs(a - b) for a, b in zip(facts["states"][-1], right))
    print(f"states of spar and torch differ by at most {difference:.2e}")
    if given.q8:
        import numpy as np

        exact, rounded = (head(given.folder, measured[name]["states"]) for name in ("spar", "q8"))
        print(f"M in f32: {exact.min():.4f} – {exact.max():.4f}, rms {np.sqrt((exact**2).mean()):.4f}; "
              f"drift of M in Q8_0: at most {abs(rounded - exact).max():.4f}, "
              f"rms {np.sqrt(((rounded - exact)**2).mean()):.4f}")


if __name__ == "__main__":
    main()
