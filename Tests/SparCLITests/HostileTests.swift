import Foundation
import Testing

@Suite("Hostile inputs") struct HostileTests {
  private static let template = """
    {% for m in messages %}{% if m.role == 'evil' %}{{ raise_exception('no evil') }}{% endif %}\
    [{{ m.role }}] {{ m.content }}
    {% endfor %}
    """

  @Test("a broken JSON line is answered by an error, and the lines behind it by their texts")
  func brokenLine() throws {
    let folder = try SparProcess.Folder()
    defer { folder.remove() }
    let template = try folder.write("chat.jinja", Self.template)
    let good = #"{"messages": [{"role": "user", "content": "hi"}]}"#
    let bad = #"{"messages": [], "add_generate_prompt": true}"#
    let input = try folder.write(
      "in.jsonl", good + "\n\n{\"messages\": [}\n[]\n{}\n\(bad)\n" + good + "\n")
    let result = try SparProcess.run(["template", "--model", template, "--input", input])
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.lines.count == 6)
    #expect(result.lines.first?.contains("[user] hi") == true)
    #expect(result.lines.last == result.lines.first)
    #expect(result.lines.dropFirst().prefix(4).allSatisfy { $0.hasPrefix(#"{"error":"#) })
    #expect(result.output.contains(#"did you mean \"add_generation_prompt\"?"#))
  }

  @Test("of several named templates the flag, the tools or the default choose")
  func namedTemplates() throws {
    let folder = try SparProcess.Folder()
    defer { folder.remove() }
    let config = try folder.write(
      "tokenizer_config.json",
      #"{"bos_token": "<s>", "chat_template": [{"name": "default", "template": "{{ bos_token }}d"}, "#
        + #"{"name": "tool_use", "template": "t{{ tools }}"}, {"name": "rag", "template": "r"}]}"#)
    let rows = #"{"messages": []}"# + "\n" + #"{"messages": [], "tools": [1]}"#
    for (flags, expected) in [
      ([], ["<s>d", "t[1]"]), (["--template", "rag"], ["r", "r"]),
    ] as [([String], [String])] {
      let result = try SparProcess.run(["template", "--model", config] + flags, input: rows)
      #expect(result.lines == expected.map { "{\"rendered\":\"\($0)\"}" }, "\(result.errors)")
    }
    let folderResult = try SparProcess.run(["template", "--model", folder.path], input: rows)
    #expect(folderResult.lines.count == 2, "\(folderResult.errors)")
    let unknown = try SparProcess.run(
      ["template", "--model", config, "--template", "rga"], input: rows)
    #expect(unknown.status != 0)
    #expect(unknown.errors.contains("default, tool_use, rag"), "\(unknown.errors)")
  }

  @Test("a conversation that the template refuses is an answer, not an end")
  func refused() throws {
    let folder = try SparProcess.Folder()
    defer { folder.remove() }
    let template = try folder.write("chat.jinja", Self.template)
    let result = try SparProcess.run(
      ["template", "--model", template],
      input: #"{"messages": [{"role": "evil", "content": ""}]}"# + "\n" + #"{"messages": []}"#)
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.lines.count == 2)
    #expect(result.lines.first == #"{"error":"no evil"}"#)
  }

  @Test("an unknown recipe key names file, line and the nearest key")
  func unknownKey() throws {
    let folder = try SparProcess.Folder()
    defer { folder.remove() }
    let recipe = try folder.write("recipe.yaml", "model: m\ngenerate:\n  temprature: 1\n")
    let result = try SparProcess.run(["run", recipe])
    #expect(result.status == 2)
    #expect(result.errors.contains("recipe.yaml:3: "))
    #expect(result.errors.contains("generate.temperature"))
  }

  @Test("two prompts of one index would get one prompt's answers: an error that names both")
  func equalIndices() throws {
    let folder = try SparProcess.Folder()
    defer { folder.remove() }
    let first = try folder.write("a.jsonl", #"{"prompt": "a", "index": 5}"# + "\n")
    let second = try folder.write("b.jsonl", #"{"prompt": "b", "index": 5}"# + "\n")
    let result = try SparProcess.run([
      "generate", "--model", "m", "--prompts", "\(first),\(second)", "-o", folder.file("c.h5"),
    ])
    #expect(result.status == 1)
    #expect(
      result.errors.contains("b.jsonl:1: index 5 is that of \(first), line 1, too"),
      "\(result.errors)")
  }

  @Test("a model that is not there is named", arguments: ["/no/such/model.gguf", "unknown-9b"])
  func missingModel(name: String) throws {
    let result = try SparProcess.run(["tokenize", "--model", name], input: "{\"text\": \"a\"}")
    #expect(result.status == 1)
    #expect(result.errors.contains(name))
    #expect(result.output.isEmpty)
  }

  @Test("a known model that was not fetched comes with the command that fetches it")
  func notFetched() throws {
    let folder = try SparProcess.Folder()
    defer { folder.remove() }
    let result = try SparProcess.run(
      ["tokenize", "--model", "smollm2-135m"], environment: ["SPAR_CACHE": folder.path])
    #expect(result.status == 1)
    #expect(result.errors.contains("spar model fetch smollm2-135m"), "\(result.errors)")
  }

  @Test("a truncated GGUF is refused")
  func truncated() throws {
    let folder = try SparProcess.Folder()
    defer { folder.remove() }
    let model = try folder.write("short.gguf", "GGUF\u{3}\u{0}\u{0}\u{0}")
    let result = try SparProcess.run(["model", "info", model])
    #expect(result.status == 1)
    #expect(result.errors.contains("short.gguf"))
  }

  @Test("a folder that cannot be made stops the run before any work")
  func unwritable() throws {
    let folder = try SparProcess.Folder()
    defer { folder.remove() }
    let prompts = try folder.write("p.jsonl", "{\"prompt\": \"a\"}\n")
    let heldout = try folder.write("h.jsonl", "{\"prompt\": \"b\"}\n")
    let recipe = try folder.write(
      "recipe.yaml",
      "model: m\niterations: 1\nprompts: \(prompts)\nheldout: \(heldout)\n"
        + "output_dir: \(prompts)/run\n")
    let result = try SparProcess.run(["run", recipe])
    #expect(result.status == 1)
    #expect(result.errors.contains("cannot use the folder"), "\(result.errors)")
    #expect(result.errors.contains("hint: "))
  }

  @Test("a held-out prompt that is trained on is an error")
  func leak() throws {
    let folder = try SparProcess.Folder()
    defer { folder.remove() }
    let prompts = try folder.write("p.jsonl", "{\"prompt\": \"a\"}\n{\"prompt\": \"b\"}\n")
    let recipe = try folder.write(
      "recipe.yaml",
      "model: m\niterations: 1\nprompts: \(prompts)\nheldout: \(prompts)\n"
        + "output_dir: \(folder.file("run"))\n")
    let result = try SparProcess.run(["run", recipe])
    #expect(result.status == 1)
    #expect(result.errors.contains("held-out"))
    #expect(!FileManager.default.fileExists(atPath: folder.file("run")))
  }

  @Test("a broken prompt line names file and line")
  func brokenPrompt() throws {
    let folder = try SparProcess.Folder()
    defer { folder.remove() }
    let prompts = try folder.write("p.jsonl", "{\"prompt\": \"a\"}\n{\"prmpt\": \"b\"}\n")
    let result = try SparProcess.run([
      "generate", "--model", "m", "--prompts", prompts, "--output", folder.file("c.h5"),
    ])
    #expect(result.status == 1)
    #expect(result.errors.contains("p.jsonl:2"), "\(result.errors)")
    #expect(!FileManager.default.fileExists(atPath: folder.file("c.h5")))
  }

  @Test("a prompt file that is not there is named, in one line")
  func missingPrompts() throws {
    let result = try SparProcess.run(["generate", "--model", "m", "--prompts", "/no/p.jsonl"])
    #expect(result.status == 1)
    #expect(result.errors == "spar: error: /no/p.jsonl: No such file or directory\n")
  }

  @Test("a file that is not HDF5 is refused by inspect")
  func notHDF5() throws {
    let folder = try SparProcess.Folder()
    defer { folder.remove() }
    let file = try folder.write("c.h5", "hello")
    let result = try SparProcess.run(["inspect", file])
    #expect(result.status == 1)
    #expect(result.errors.contains(file))
  }
}
