"""PairRM's full table: Spar against transformers' DeBERTa on torch, one run on one machine.

    swift build -c release
    python Tests/Benchmarks/pairrm/compare.py .build/release/spar [--folder /tmp/pairrm-large]

Needs torch, transformers, safetensors and numpy. Writes a random model of PairRM-large's shape once
(f32, 1.7 GB; 24 layers of 1024, 16 heads, feed-forward of 4096, 128005 tokens), then times

  spar   `spar bench rank`: all 20 ordered pairs of 5 answers, prompt and answers of 150 tokens
  torch  the same sequences through DebertaV2Model in f32, padded batches of one and of four pairs, as
         LLM-Blender feeds them

and compares the hidden states at the three marks of the last pair.
"""
import argparse, json, os, subprocess, time


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


def run_torch(folder, pairs, threads, count):
    import torch
    from safetensors.torch import load_file
    from transformers import DebertaV2Config, DebertaV2Model

    torch.set_num_threads(threads)
    model = DebertaV2Model(DebertaV2Config.from_pretrained(folder)).float().eval()
    prefix = "pretrained_model."
    weights = load_file(folder + "/model.safetensors")
    weights = {k[len(prefix):]: v for k, v in weights.items() if k.startswith(prefix)}
    model.load_state_dict(weights, strict=False)
    times = {}
    with torch.no_grad():
        for batch in (1, 4) if count % 4 == 0 else (1,):
            def step(chunk):
                longest = max(len(ids) for ids, _ in chunk)
                ids = torch.tensor([ids + [0] * (longest - len(ids)) for ids, _ in chunk])
                mask = torch.tensor([[1] * len(ids) + [0] * (longest - len(ids)) for ids, _ in chunk])
                return model(ids, attention_mask=mask).last_hidden_state
            step(pairs[:1])  # warms up
            start, used = time.perf_counter(), time.process_time()
            for first in range(0, count, batch):
                step(pairs[first:first + batch])
            times[batch] = ((time.perf_counter() - start) / count, (time.process_time() - used) / count)
        ids, rows = pairs[-1]
        states = model(torch.tensor([ids])).last_hidden_state[0]
    return times, [states[row, :8].tolist() for row in rows]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("spar")
    parser.add_argument("--folder", default="/tmp/pairrm-large")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--answers", type=int, default=5)
    parser.add_argument("--pairs", type=int, default=4, help="pairs that torch does; batches of 4 if a multiple of 4")
    parser.add_argument("--repetitions", type=int, default=1)
    given = parser.parse_args()
    if not os.path.exists(given.folder + "/config.json"):
        write_model(given.folder)
    spar = json.loads(subprocess.run(
        [given.spar, "bench", "rank", "--model", given.folder, "--json", "--threads",
         str(given.threads), "--repetitions", str(given.repetitions), "--answers", str(given.answers)],
        check=True, stdout=subprocess.PIPE).stdout)
    measured = spar["measured"]
    pairs = table(measured["answers"], measured["prompt_tokens"], measured["answer_tokens"], 128005)
    torch_times, torch_states = run_torch(given.folder, pairs, given.threads, given.pairs)
    difference = max(abs(a - b) for x, y in zip(measured["states"], torch_states) for a, b in zip(x, y))
    dense = measured["dense_operations"] / measured["pairs"] / 1e9
    used = measured["processor_seconds"] / measured["pairs"]
    print(f"threads {given.threads}, {measured['pairs']} pairs of {measured['tokens_per_pair']} tokens a table")
    print(f"spar   {spar['seconds_per_pair']:.3f} s a pair ({used:.3f} s of processors), "
          f"{dense / spar['seconds_per_pair']:.1f} GFLOP/s dense, {100 * spar['share']:.0f} % of its sgemm, "
          f"peak {measured['peak_memory_bytes'] / 1e9:.2f} GB")
    for batch, (seconds, processors) in torch_times.items():
        print(f"torch  {seconds:.3f} s a pair ({processors:.3f} s of processors), "
              f"{dense / seconds:.1f} GFLOP/s dense, batches of {batch}")
    best = [min(times) for times in zip(*torch_times.values())]
    print(f"ratio  {best[0] / spar['seconds_per_pair']:.2f} by the clock, {best[1] / used:.2f} by processor time; "
          f"states differ by at most {difference:.2e}")


if __name__ == "__main__":
    main()
