import Foundation
import Testing

@Suite("Objectives on the command line") struct ObjectiveHelpTests {
  private static let folder = SparProcess.program.deletingLastPathComponent().path

  @Test("help shows every objective that is there", arguments: ["train", "run", "lens"])
  func objectives(command: String) throws {
    let result = try SparProcess.run([command, "--help"])
    #expect(result.status == 0, "\(result.errors)")
    for id in ["sppo", "sppo-single", "sppo-hard", "gpo", "dpo"] {
      #expect(result.lines.contains("  \(id)"), "\(id)")
    }
    for text in [
      "L = −(1 − ε) ln σ(βz)", "arXiv:2305.18290", "libspar-dpo.so", ".label-smoothing",
      "from 0 to 0.5", "default 0.1", "pairing: best-worst, all-pairs, all-answers",
    ] {
      #expect(result.output.contains(text), "\(text)")
    }
  }

  @Test("help shows every ranker that is there")
  func rankers() throws {
    let output = try SparProcess.run(["help", "rank"]).output
    for text in ["  likelihood\n", "  length\n", "ranker.unit", "one of characters, bytes, words"] {
      #expect(output.contains(text), "\(text)")
    }
    #expect(!output.contains("OBJECTIVES"))
  }

  @Test("help outlives a library that crashes while it is loaded")
  func broken() throws {
    let folder = try SparProcess.Folder()
    defer { folder.remove() }
    let source = try folder.write(
      "crash.c", "#include <stdlib.h>\nconst void *spar_plugin_entry_v1(void) { abort(); }\n")
    let library = folder.file("libspar-crash.so")
    let compiler = Process()
    compiler.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    compiler.arguments = ["clang", "-shared", "-fPIC", "-o", library, source]
    try compiler.run()
    compiler.waitUntilExit()
    try #require(compiler.terminationStatus == 0, "clang comes with the Swift toolchain")
    let result = try SparProcess.run(["train", "--plugin-path", library, "--help"])
    #expect(result.status == 0)
    #expect(result.output.contains("crashes while it is loaded"))
    #expect(result.lines.contains("  sppo"))
    let without = try SparProcess.run(["train", "--no_plugins", "--help"])
    #expect(without.output.contains("none was found"))
  }

  @Test("the list as JSON has formula, paper and options with their ranges")
  func json() throws {
    let result = try SparProcess.run(["plugin", "list", "--json"])
    let root = try #require(
      try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
    let components = try #require(root["components"] as? [[String: Any]])
    let dpo = try #require(components.first { $0["id"] as? String == "dpo" })
    #expect((dpo["formula"] as? String)?.hasPrefix("L = ") == true)
    #expect((dpo["paper"] as? String)?.contains("arXiv:2305.18290") == true)
    let options = try #require(dpo["options"] as? [[String: Any]])
    #expect(options.map { $0["name"] as? String } == ["beta", "label-smoothing"])
    #expect(options[1]["maximum"] as? Double == 0.5)
    #expect(options[0]["default_text"] as? String == "0.1")
    #expect(dpo["origin"] as? String == "beside the program")
  }

  @Test(
    "what an objective or an update rule does not take is an error that names what is right",
    arguments: [
      (["--objective", "sspo"], "did you mean 'sppo'?"),
      (
        ["--objective", "dpo", "--objective-option", "label-smothing=0.1"],
        "did you mean label_smoothing?"
      ),
      (["--objective", "dpo", "--objective-option", "label-smoothing=0.7"], "from 0 to 0.5"),
      (["--objective", "dpo", "--set", "objective.beta=soft"], "a number from 1e-06 to 1000"),
      (["--objective", "dpo", "--pairing", "all-answers"], "objective that has: gpo, sppo"),
      (["--pairing", "everything"], "best-worst, all-pairs, all-answers"),
      (["--all_answers", "true"], "unknown setting"),
      (["--adam_beta1", "0.8"], "read by adamw, but train.optim is rmsprop"),
      (["--optim", "adamw", "--momentum", "0.8"], "read by rmsprop, but train.optim is adamw"),
    ])
  func wrong(arguments: [String], clue: String) throws {
    let folder = try SparProcess.Folder()
    defer { folder.remove() }
    let recipe = try folder.write("recipe.yaml", "iterations: 1\n")
    let result = try SparProcess.run(["run", recipe, "--show"] + arguments)
    #expect(result.status == 2)
    #expect(result.errors.contains(clue), "\(result.errors)")
    #expect(result.output.isEmpty)
  }

  @Test(
    "the lens says whose option it needs",
    arguments: [
      (["--objective-option", "beta=0.1"], "does not say whose"),
      (["--objective-option", "sppp.beta=0.1"], "did you mean sppo?"),
      (["--objectives", "sppo,sppo"], "twice"), (["--objectives", "spo"], "did you mean 'sppo'?"),
      (["--objective-option", "dpo.gamma=1"], "it has beta"),
      (["--pairing", "all-answers"], "dpo compares answers"),
      (["--pairing", "none"], "best-worst"), (["--limit", "-1"], "at least 0"),
    ])
  func lensUsage(arguments: [String], clue: String) throws {
    let result = try SparProcess.run(["lens"] + arguments)
    #expect(result.status == 2, "\(result.errors)")
    #expect(result.errors.contains(clue), "\(result.errors)")
  }

  @Test(
    "shells complete the flags of settings and their choices", arguments: ["bash", "zsh", "fish"])
  func completion(shell: String) throws {
    let folder = try SparProcess.Folder()
    defer { folder.remove() }
    let result = try SparProcess.run(["--generate-completion-script", shell])
    #expect(result.status == 0)
    for text in ["learning-rate", "pairing", "all-answers", "max-new-tokens", "probability-rule"] {
      #expect(result.output.contains(text), "\(text)")
    }
    guard shell == "bash" else { return }
    let script = try folder.write(
      "complete.bash",
      result.output + """

        COMP_LINE="spar train --pair" COMP_POINT=17 COMP_CWORD=2
        COMP_WORDS=(spar train --pair)
        _spar spar --pair train
        printf '%s\\n' "${COMPREPLY[@]}"
        COMPREPLY=()
        COMP_LINE="spar train --pairing all" COMP_POINT=24 COMP_CWORD=3
        COMP_WORDS=(spar train --pairing all)
        _spar spar all --pairing
        printf '%s\\n' "${COMPREPLY[@]}"
        """)
    let bash = Process()
    bash.executableURL = URL(fileURLWithPath: "/bin/bash")
    bash.arguments = [script]
    let output = Pipe()
    bash.standardOutput = output
    try bash.run()
    let text = String(
      decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
    bash.waitUntilExit()
    #expect(
      text.split(whereSeparator: \.isWhitespace) == ["--pairing", "all-pairs", "all-answers"],
      "\(text)")
  }
}
