"""Tokens per second of decoding: Spar beside llama.cpp, on the same GGUF files in the same run.

    python3 Tests/Benchmarks/generate/compare.py .build/release/spar [--rounds 3] [--batches 40,1]

Needs llama-cpp-python (built from source, so that it uses what this processor has) and numpy. Writes
SmolLM2-135M as f32, q8_0 and q4_0 GGUF files once, then lets the programs take turns:

  llama.cpp  40-token prompts of `batch` sequences, then 64 steps of one token each; only llama_decode
             is timed, tokens are chosen outside of the clock; keys and values f16, as it comes
  spar       `spar bench generate`: the same numbers, sampling inside of the clock; f32, and for the
             other files weights as they are stored (--weights stored)
  spar int8  q8_0 with activations rounded to 8 bits, too (openblas:products=int8), as llama.cpp does

Medians of the rounds, with the least and the most.
"""
import argparse, json, os, statistics, subprocess, sys, time

PROMPT, STEPS = 40, 64


def llama(file, batch, threads):
    import ctypes
    import numpy as np
    import llama_cpp as L

    L.llama_backend_init()
    silent = L.llama_log_callback(lambda level, text, data: None)
    L.llama_log_set(silent, ctypes.c_void_p(0))
    model = L.llama_model_load_from_file(file.encode(), L.llama_model_default_params())
    parameters = L.llama_context_default_params()
    parameters.n_ctx = batch * (PROMPT + STEPS + 8)
    parameters.n_batch = parameters.n_ubatch = max(batch * PROMPT, 64)
    parameters.n_seq_max = batch
    parameters.kv_unified = True
    parameters.n_threads = parameters.n_threads_batch = threads
    context = L.llama_init_from_model(model, parameters)
    words = L.llama_vocab_n_tokens(L.llama_model_get_vocab(model))
    random = np.random.default_rng(1)
    tokens = L.llama_batch_init(batch * PROMPT, 0, 1)

    def decode(rows):  # rows: (token, position, sequence, wants logits)
        tokens.n_tokens = len(rows)
        for i, (token, position, sequence, wants) in enumerate(rows):
            tokens.token[i], tokens.pos[i], tokens.logits[i] = token, position, wants
            tokens.n_seq_id[i], tokens.seq_id[i][0] = 1, sequence
        start = time.perf_counter()
        if L.llama_decode(context, tokens):
            raise RuntimeError("llama_decode failed")
        L.llama_synchronize(context)
        return time.perf_counter() - start

    prompts = random.integers(100, words - 100, (batch, PROMPT))
    rows = [(int(prompts[s, p]), p, s, p == PROMPT - 1) for s in range(batch) for p in range(PROMPT)]
    decode(rows)  # brings the weights in
    L.llama_memory_clear(L.llama_get_memory(context), True)
    prefill = decode(rows)
    spent = 0.0
    for step in range(STEPS):
        # Any tokens will do: what they cost does not depend on which they are.
        chosen = random.integers(100, words - 100, batch)
        seconds = decode([(int(chosen[s]), PROMPT + step, s, True) for s in range(batch)])
        spent += seconds if step > 0 else 0
    return {"decode": batch * (STEPS - 1) / spent, "prefill": batch * PROMPT / prefill}


def run(command):
    return json.loads(subprocess.run(
        command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout)


def spar(program, file, batch, threads, more):
    result = run([
        program, "bench", "generate", "--model", file, "--batch", str(batch), "--new-tokens",
        str(STEPS), "--repetitions", "1", "--threads", str(threads), "--json", *more])
    return {"decode": result["decode_median"], "prefill": result["prefill_median"]}


def main():
    if sys.argv[1:2] == ["--llama"]:
        print(json.dumps(llama(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))))
        return
    parser = argparse.ArgumentParser()
    parser.add_argument("spar")
    parser.add_argument("--folder", default="/tmp/generate-bench")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--batches", default="40,1")
    given = parser.parse_args()
    os.makedirs(given.folder, exist_ok=True)
    files = {}
    for kind in ("f32", "q8_0", "q4_0"):
        files[kind] = f"{given.folder}/smollm2.{kind}.gguf"
        if not os.path.exists(files[kind]):
            subprocess.run(
                [given.spar, "model", "export", "smollm2-135m", files[kind], "--type", kind],
                check=True)
    programs = []
    for kind, file in files.items():
        more = [] if kind == "f32" else ["--weights", "stored"]
        programs.append((f"llama.cpp {kind}", file, None))
        programs.append((f"spar {kind}", file, more))
        if kind == "q8_0":
            programs.append(
                ("spar q8_0 int8", file, more + ["--backend", "openblas:products=int8"]))
    for batch in map(int, given.batches.split(",")):
        found = {}
        for _ in range(given.rounds):
            for name, file, more in programs:
                one = (
                    run([sys.executable, __file__, "--llama", file, str(batch), str(given.threads)])
                    if more is None else spar(given.spar, file, batch, given.threads, more))
                for what, rate in one.items():
                    found.setdefault((name, what), []).append(rate)
        for what in ("decode", "prefill"):
            for name, _, _ in programs:
                rates = found[name, what]
                print(f"batch {batch:3d} {what:8s} {name:16s} {statistics.median(rates):8.1f} "
                      f"({min(rates):.1f} – {max(rates):.1f}) tokens/s", flush=True)


if __name__ == "__main__":
    main()
