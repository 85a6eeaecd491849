"""Tiny random models beside this script, and what transformers computes for them in float32.

    python make_tiny.py            # needs torch, transformers and safetensors from PyPI

Weights are our own random numbers, rounded to float16; configs are written by hand in the spellings
that files in the wild have.  Made with transformers 5.23.0 and torch 2.15.0 on a CPU.
"""
import json
import os

import torch
from safetensors.torch import save_file
from transformers import AutoConfig, AutoModelForCausalLM

HERE = os.path.dirname(os.path.abspath(__file__))
COMMON = dict(vocab_size=104, hidden_size=32, intermediate_size=24, num_hidden_layers=2,
              num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=96,
              bos_token_id=1, eos_token_id=2, pad_token_id=0, rms_norm_eps=1e-5)
FACTORS = dict(short_factor=[1.0, 1.1, 1.3, 2.0], long_factor=[1.0, 1.5, 3.0, 6.0])
MODELS = {
    # Phi-4-mini's partial rotation and Phi-3-mini-4k's window.
    "phi3": dict(COMMON, model_type="phi3", hidden_act="silu", partial_rotary_factor=0.5,
                 original_max_position_embeddings=96, rope_theta=10000.0, rope_scaling=None,
                 sliding_window=6, tie_word_embeddings=True, torch_dtype="bfloat16"),
    # The spelling of Phi-3-mini-128k; the longest sequence here has 37 tokens.
    "phi3-longrope": dict(COMMON, model_type="phi3", hidden_act="silu", rope_theta=10000.0,
                          original_max_position_embeddings=48, sliding_window=None,
                          rope_scaling=dict(type="longrope", **FACTORS), tie_word_embeddings=True,
                          torch_dtype="bfloat16"),
    "llama-yarn": dict(COMMON, model_type="llama", hidden_act="silu", tie_word_embeddings=True,
                       attention_bias=True, mlp_bias=True, dtype="float32",
                       rope_parameters=dict(rope_type="yarn", rope_theta=10000.0, factor=4.0,
                                            original_max_position_embeddings=24)),
    # As Llama-2 long-context models write it: no key heads, no head size.
    "llama-linear": dict({k: v for k, v in COMMON.items() if k != "num_key_value_heads"},
                         model_type="llama", hidden_act="silu", tie_word_embeddings=False,
                         pretraining_tp=1, torch_dtype="float16",
                         rope_scaling=dict(type="linear", factor=2.0)),
    # Mistral 7B v0.1's spelling.
    "mistral-old": dict(COMMON, model_type="mistral", hidden_act="silu", sliding_window=6,
                        rope_theta=10000.0, tie_word_embeddings=True, torch_dtype="bfloat16"),
    # Gemma 2's spelling: no layer_types, no tie_word_embeddings; heads of a size no kernel likes.
    "gemma2-odd": dict(COMMON, model_type="gemma2", hidden_act="gelu_pytorch_tanh",
                       hidden_activation="gelu_pytorch_tanh", head_dim=10, hidden_size=30,
                       num_attention_heads=3, num_key_value_heads=1,
                       query_pre_attn_scalar=7, sliding_window=6,
                       attn_logit_softcapping=5.0, final_logit_softcapping=6.0,
                       rope_theta=10000.0, torch_dtype="float32", cache_implementation="hybrid"),
}


def randomise(model, name, generator):
    """Livelier than the default initialisation, so that errors show."""
    for key, weight in model.named_parameters():
        around = 0.0 if weight.dim() > 1 or "bias" in key or name.startswith("gemma2") else 1.0
        spread = 0.25 if weight.dim() > 1 else 0.1
        noise = torch.randn(weight.shape, generator=generator) * spread + around
        weight.data.copy_(noise.half().float())


def expected(model, generator):
    """Logits and log-probabilities of three sequences, gradients of a weighted sum, greedy ids."""
    record, loss = {}, 0.0
    prompts, weights = [11, 5, 4], [0.7, -1.3, 0.4]
    sequences = [torch.randint(3, 104, (n,), generator=generator) for n in (37, 15, 7)]
    for i, (ids, cut) in enumerate(zip(sequences, prompts)):
        logits = model(ids[None]).logits[0].float()
        logp = logits[:-1].log_softmax(-1).gather(1, ids[1:, None])[:, 0]
        record[f"ids.{i}"] = ids.to(torch.int32)
        record[f"logits.{i}"] = logits.detach().contiguous()
        record[f"logp.{i}"] = logp.detach().contiguous()
        loss = loss + weights[i] * logp[cut - 1:].sum()
    loss.backward()
    record["weight"] = torch.tensor(weights)
    record["prompt_len"] = torch.tensor(prompts, dtype=torch.int32)
    record["loss"] = loss.detach()[None]
    for key, weight in model.named_parameters():
        record["grad." + key] = weight.grad.contiguous()
    ids = sequences[0][:6]
    for _ in range(24):  # full passes: transformers' caches have rules of their own
        with torch.no_grad():
            ids = torch.cat([ids, model(ids[None], use_cache=False).logits[0, -1:].argmax(-1)])
    record["greedy"] = ids.to(torch.int32)
    return record


for seed, (name, config) in enumerate(MODELS.items()):
    folder = os.path.join(HERE, name)
    os.makedirs(folder, exist_ok=True)
    with open(folder + "/config.json", "w") as file:
        json.dump(config, file, indent=2)
        file.write("\n")
    model = AutoModelForCausalLM.from_config(
        AutoConfig.from_pretrained(folder), attn_implementation="eager", dtype=torch.float32).eval()
    generator = torch.Generator().manual_seed(300 + seed)
    randomise(model, name, generator)
    tensors = {key: weight.detach().half().contiguous() for key, weight in model.named_parameters()}
    save_file(tensors, folder + "/model.safetensors", metadata={"format": "pt"})
    save_file(expected(model, generator), folder + "/expected.safetensors")
    print(name, {f: os.path.getsize(f"{folder}/{f}") for f in sorted(os.listdir(folder))})
