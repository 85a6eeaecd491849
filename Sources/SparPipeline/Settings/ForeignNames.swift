/// Flags that users of TRL and Hugging Face's Trainer know and that Spar has under no such name:
/// what to write, or what happens unasked.
///
/// An unknown key that is one of these gets its advice in place of a guess at a misspelling.
public enum ForeignNames {
  private static let logging =
    "metrics.jsonl and TensorBoard's files are written to output_dir in every run"
  private static let f32 =
    "training is in f32; `spar model export --type bf16` rounds the result"
  private static let evaluation =
    "a run judges held-out answers after every iteration: --heldout and evaluate.* of `spar run`, "
    + "or `spar evaluate`"
  private static let adapters =
    "policies are trained whole; adapters are for rankers: `spar train-ranker --train lora`"
  private static let reference =
    "the reference is the policy that training starts from, which is --model"
  private static let checkpoints =
    "checkpoints are set by --save_steps and --save_total_limit; the last step is always one"
  private static let resuming =
    "the same command goes on from its newest checkpoint; another --output_dir starts anew"
  private static let hub = "nothing is sent anywhere; `spar model export` writes a folder for it"
  private static let code = "models are read, never run: there is no code to trust"
  private static let threads = "--threads is for everything"
  private static let padding = "sequences are packed, never padded"
  private static let loss = "there is no such loss; `spar plugin list` shows the objectives"
  private static let memory =
    "--tokens_per_pass bounds what a pass keeps; `spar run RECIPE --plan` tells the memory"

  static let advice: [String: String] = [
    "report_to": logging, "logging_dir": logging, "run_name": logging, "disable_tqdm": logging,
    "logging_first_step": "the first and the last step are always logged; --logging_steps says the "
      + "others",
    "logging_strategy": "--logging_steps says how often",
    "bf16": f32, "fp16": f32, "tf32": f32, "torch_dtype": f32, "dtype": f32,
    "load_in_4bit": f32, "load_in_8bit": f32,
    "eval_steps": evaluation, "eval_strategy": evaluation, "evaluation_strategy": evaluation,
    "do_eval": evaluation, "per_device_eval_batch_size": evaluation,
    "generate_during_eval": evaluation, "metric_for_best_model": evaluation,
    "load_best_model_at_end": evaluation,
    "use_peft": adapters, "lora_r": adapters, "lora_alpha": adapters, "lora_dropout": adapters,
    "lora_target_modules": adapters,
    "ref_model": reference, "model_ref": reference, "ref_model_name_or_path": reference,
    "sync_ref_model": reference, "reference_free": reference,
    "precompute_ref_log_probs": "that is always so: the reference's log-probabilities are computed "
      + "once, before the first step",
    "save_strategy": checkpoints, "save_only_model": checkpoints,
    "resume_from_checkpoint": resuming, "overwrite_output_dir": resuming,
    "push_to_hub": hub, "hub_model_id": hub, "hub_token": hub,
    "trust_remote_code": code,
    "gradient_checkpointing": memory, "deepspeed": memory, "fsdp": memory,
    "attn_implementation": "attention is computed exactly, in one way; --backend chooses kernels",
    "dataset_num_proc": threads, "dataloader_num_workers": threads,
    "data_seed": "--train_seed is of the order of training alone",
    "max_completion_length": "--max_length counts prompt and answer together, --max_prompt_length "
      + "the prompt; --max_new_tokens limits generated answers",
    "max_target_length": "--max_length counts prompt and answer together, --max_prompt_length the "
      + "prompt",
    "dataset_train_split": "name the file: --preferences train.parquet",
    "dataset_test_split": "name the file: --heldout test.parquet",
    "remove_unused_columns": "columns that nobody needs are passed over",
    "padding_value": padding, "pad_token": padding, "padding_free": padding,
    "ld_alpha": loss, "rpo_alpha": loss, "f_divergence_type": loss, "use_weighting": loss,
  ]

  /// What to do instead of the flag or key, in any spelling; nil for names that nobody knows.
  public static func advice(for key: String) -> String? {
    var name = key.replacing("-", with: "_")
    name.trimPrefix { $0 == "_" }
    return advice[String(name.split(separator: ".").last ?? "")]
  }
}
