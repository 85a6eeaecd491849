import Foundation
import Testing

@Suite("Command line") struct UsageTests {
  @Test("help lists every command and goes to stdout")
  func help() throws {
    let result = try SparProcess.run(["--help"])
    #expect(result.status == 0)
    #expect(result.errors.isEmpty)
    for command in [
      "run", "generate", "rank", "pair", "train", "evaluate", "score", "activations", "lens",
      "tokenize", "template", "model", "data", "plugin", "inspect", "doctor", "bench",
    ] {
      #expect(result.output.contains("\n  \(command) "), "\(command)")
    }
  }

  @Test("a command's help shows its settings with their defaults")
  func settings() throws {
    let result = try SparProcess.run(["generate", "--help"])
    #expect(result.status == 0)
    #expect(result.output.contains("--temperature"))
    #expect(result.output.contains("default: 0.7"))
    #expect(!result.output.contains("--learning_rate"))
  }

  @Test(
    "wrong usage: code 2, one line with the reason, nothing on stdout",
    arguments: [
      (["frobnicate"], "frobnicate"), (["genrate"], "did you mean generate?"),
      (["help", "genrate"], "did you mean generate?"),
      (["data", "inspct", "x"], "no command `spar data inspct`; did you mean inspect?"),
      (["run"], "recipe"),
      (["generate", "--temprature", "1"], "temperature"),
      (["generate", "--learning_rate", "1e-5"], "train"),
      (["generate", "--temperature"], "needs a value"),
      (["generate", "--temperature", "hot"], "a number"),
      (["generate", "--set", "nonsense"], "key=value"),
      (["activations", "--model", "m", "--input", "t", "--sites", "residul"], "\"residual\"?"),
      (["activations", "--model", "m", "--input", "t", "--dtype", "bf16"], "f32, f16"),
      (["activations", "--model", "m", "--input", "t", "--layers", "4-2"], "0,5,10-20"),
      (
        ["activations", "--model", "m", "--input", "t", "--sites", "logits", "--layers", "3"],
        "layers is read by residual, attention, mlp, but sites is logits"
      ),
      (["rank", "--capture-sites", "mlp"], "--capture FILE"),
      (["train", "--capture-every", "2"], "--capture FILE"),
      (["generate"], "model is not set"), (["rank", "--json=3"], "json"),
      (["pair", "--probability_rule", "upstream-score"], "--output"),
      (["run", "r.yaml", "--restart-from", "nowhere"], "r.yaml"),
      (["report", "x", "--examples", "-1"], "at least 0"),
      (["pair", "--limit", "-1"], "at least 0"),
      (["score", "--model", "m", "--threads", "-1"], "at least 0"),
      (["rank", "--ranker-option", "unit"], "--ranker-option unit: not of the form"),
      (["plugin", "info", "lenght"], "no component named 'lenght'; did you mean 'length'?"),
      (["train", "--set", "objctive.beta=1"], "did you mean \"objective.beta\"?"),
      (["train", "--dataset_name", "p.jsonl"], "--preferences"),
      (["run", "r.yaml", "--report_to", "wandb"], "TensorBoard"),
      (["train", "--eval_steps", "5"], "held-out"), (["train", "--bf16"], "f32"),
      (["train", "--resume-from-checkpoint", "true"], "--output_dir starts anew"),
    ])
  func wrong(arguments: [String], clue: String) throws {
    let result = try SparProcess.run(arguments)
    #expect(result.status == 2)
    #expect(result.errors.hasPrefix("spar: error: "))
    #expect(result.errors.contains(clue), "\(result.errors)")
    #expect(result.output.isEmpty)
  }

  @Test("one answer a prompt can be generated, but a run has nothing to compare then")
  func oneAnswer() throws {
    let folder = try SparProcess.Folder()
    defer { folder.remove() }
    let recipe = try folder.write(
      "recipe.yaml", "model: m\nprompts: p.jsonl\nevaluate: {prompts: h.jsonl}\n")
    let run = try SparProcess.run(["run", recipe, "--pairs", "1"])
    #expect(run.status == 2)
    #expect(run.errors.contains("generate.pairs is \"1\"; it must be 2 or more"), "\(run.errors)")
    let heldout = try folder.write("heldout.yaml", "model: m\nprompts: p.jsonl\n")
    let missing = try SparProcess.run(["run", heldout])
    #expect(missing.errors.contains("hint: give --heldout or"), "\(missing.errors)")
    let generate = try SparProcess.run(["generate", "--pairs", "1"])
    #expect(generate.errors.contains("model is not set"), "\(generate.errors)")
  }

  @Test("what a store would bring back cannot be thrown away")
  func restartWithStore() throws {
    let folder = try SparProcess.Folder()
    defer { folder.remove() }
    let recipe = try folder.write("recipe.yaml", "iterations: 1\n")
    let result = try SparProcess.run(["run", recipe, "--restart-from", "train", "--store", "s"])
    #expect(result.status == 2)
    #expect(result.errors.contains("come back from the store"), "\(result.errors)")
  }

  @Test(
    "a flag is understood in every spelling",
    arguments: [
      ["--per_device_train_batch_size", "4"], ["--per-device-train-batch-size=4"],
      ["--set", "train.per_device_train_batch_size=4"], ["--batch_size", "4"],
      ["--set=per-device-train-batch-size=4"],
    ])
  func spellings(arguments: [String]) throws {
    let folder = try SparProcess.Folder()
    defer { folder.remove() }
    let recipe = try folder.write("recipe.yaml", "iterations: 1\n")
    let result = try SparProcess.run(["run", recipe, "--show"] + arguments)
    #expect(result.status == 0, "\(result.errors)")
    let line = try #require(
      result.lines.first { $0.hasPrefix("train.per_device_train_batch_size ") })
    #expect(line.split(separator: " ")[1] == "4")
  }

  @Test("--show runs nothing, and says so to flags that change a run")
  func showAlone() throws {
    let folder = try SparProcess.Folder()
    defer { folder.remove() }
    let recipe = try folder.write("recipe.yaml", "iterations: 1\n")
    for flags in [["--plan"], ["--until", "rank"], ["--restart-from", "rank"]] {
      let result = try SparProcess.run(["run", recipe, "--show"] + flags)
      #expect(result.status == 2, "\(flags)")
      #expect(result.errors.contains("--show"), "\(result.errors)")
    }
  }

  @Test("a reader that has seen enough ends a command without a word")
  func readerGone() throws {
    let folder = try SparProcess.Folder()
    defer { folder.remove() }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.arguments = [
      "-c", #"(sleep 0.3; "$0" plugin list 2>"$1/err"; echo $? >"$1/rc") | true"#,
      SparProcess.program.path, folder.path,
    ]
    try process.run()
    process.waitUntilExit()
    #expect(try String(contentsOfFile: folder.file("rc"), encoding: .utf8) == "141\n")
    #expect(try String(contentsOfFile: folder.file("err"), encoding: .utf8).isEmpty)
  }

  @Test("--show tells every value with its origin")
  func show() throws {
    let folder = try SparProcess.Folder()
    defer { folder.remove() }
    let recipe = try folder.write("recipe.yaml", "generate:\n  top_p: 0.5\n")
    let result = try SparProcess.run([
      "run", recipe, "--show", "--set", "pairs=3", "--temperature=0.1", "--no_shuffle",
    ])
    #expect(result.status == 0, "\(result.errors)")
    func origin(_ name: String) -> String {
      result.lines.first { $0.hasPrefix(name + " ") } ?? "(no \(name))"
    }
    #expect(origin("generate.top_p").hasSuffix("recipe \(recipe):2"))
    #expect(origin("generate.pairs").hasSuffix("--set"))
    #expect(origin("generate.temperature").hasSuffix("--temperature"))
    #expect(origin("train.shuffle").contains("false"))
    #expect(origin("generate.top_k").hasSuffix("default"))
  }

  @Test("an option that the objective lacks is found before anything runs")
  func strangerOption() throws {
    let folder = try SparProcess.Folder()
    defer { folder.remove() }
    let recipe = try folder.write("recipe.yaml", "objective: dpo\n")
    let wrong = try SparProcess.run(["run", recipe, "--show", "--target_clamp", "3"])
    #expect(wrong.status == 2)
    #expect(wrong.errors.contains("label_smoothing"), "\(wrong.errors)")
    let missing = try SparProcess.run(["run", recipe, "--show", "--objective", "spo"])
    #expect(missing.status == 2)
    #expect(missing.errors.contains("spo"))
  }
}
