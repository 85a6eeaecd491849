import Foundation
import Testing

@Suite("Hostile inputs") struct HostileTests {
  private static let template = """
    {% for m in messages %}{% if m.role == 'evil' %}{{ raise_exception('no evil') }}{% endif %}\
    [{{ m.role }}] {{ m.content }}
    {% endfor %}
    """

  @Test("a broken JSON line: earlier lines are answered, then file:line and code 1")
  func brokenLine() throws {
    let folder = try SparProcess.Folder()
    defer { folder.remove() }
    let template = try folder.write("chat.jinja", Self.template)
    let good = #"{"messages": [{"role": "user", "content": "hi"}]}"#
    let input = try folder.write("in.jsonl", good + "\n\n{\"messages\": [}\n" + good + "\n")
    let result = try SparProcess.run(["template", "--model", template, "--input", input])
    #expect(result.status == 1)
    #expect(result.lines.count == 1)
    #expect(result.output.contains("[user] hi"))
    #expect(result.errors.contains("in.jsonl:3: "), "\(result.errors)")
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
    let result = try SparProcess.run(["model", "info", model, "--backend", "reference"])
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
