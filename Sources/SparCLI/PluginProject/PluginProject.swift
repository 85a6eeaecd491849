import Foundation

/// A plugin's source project, made of templates: text files in which `@WORD@` stands for a value.
///
/// A template tree has a folder per language with `all/` and one folder per kind, laid over each
/// other; C and C++ share `c-cpp/`. `use/KIND.md` becomes a part of the README.
struct PluginProject {
  enum Kind: String, CaseIterable, Codable {
    case objective, ranker, backend

    /// What the example does, until its author changes it.
    var example: String {
      switch self {
      case .objective: "squared distance of the log-ratio margin from 1/(2 tau) (IPO)"
      case .ranker: "prefers answers near a wished number of words"
      case .backend: "float32 products in plain tiled loops; the rest is Spar's"
      }
    }
  }

  enum Language: String, CaseIterable, Codable {
    case c, cpp, rust, swift

    var tool: String {
      switch self {
      case .c: "make and cc"
      case .cpp: "make and g++"
      case .rust: "cargo, without crates"
      case .swift: "swift build"
      }
    }

    fileprivate var folders: [String] {
      switch self {
      case .c: ["c-cpp", "c/all"]
      case .cpp: ["c-cpp", "cpp/all"]
      case .rust: ["rust/all"]
      case .swift: ["swift/all"]
      }
    }
  }

  var kind: Kind
  var language: Language
  /// The component's id: lower-case letters, digits and hyphens, a letter first.
  var name: String
  var author: String
  /// Shown by `spar plugin info`; an SPDX id such as Apache-2.0.
  var license: String
  /// Folder of spar_plugin.h that the project falls back on; empty: it asks pkg-config.
  var include: String

  /// The library that Spar looks for in a folder of plugins.
  var library: String { "libspar-\(name).so" }

  /// Where the language's own tool leaves the library, relative to the project.
  var built: String {
    switch language {
    case .c, .cpp: library
    case .rust: "target/release/lib\(crate).so"
    case .swift: ".build/release/\(library)"
    }
  }

  /// The commands that build and try the project, in its folder.
  var steps: [String] {
    switch language {
    case .c, .cpp: ["make", "make check"]
    case .rust: ["cargo build --release", "cargo test --release"]
    case .swift: ["swift build -c release", "swift test"]
    }
  }

  private var crate: String { "spar_" + name.replacing("-", with: "_") }

  /// `word-overlap` as `SparWordOverlap`: module names must differ between plugins.
  private var module: String {
    "Spar" + name.split(separator: "-").map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
  }

  /// What is wrong with a name, or nil.
  static func objection(toName name: String) -> String? {
    if name.isEmpty || name.utf8.count > 40 { return "a name has 1 to 40 letters" }
    guard name.utf8.allSatisfy({ "abcdefghijklmnopqrstuvwxyz0123456789-".utf8.contains($0) })
    else { return "a name consists of a-z, 0-9 and -" }
    guard let first = name.first, first.isLetter else { return "a name begins with a letter" }
    if name.hasSuffix("-") || name.contains("--") { return "a hyphen stands between two others" }
    return nil
  }

  /// The project's files by relative path, in order.
  ///
  /// - Parameter templates: the folder `templates/plugin`.
  func files(templates: URL) throws -> [(path: String, text: String)] {
    var found: [String: String] = [:]
    for folder in language.folders + ["\(language.rawValue)/\(kind.rawValue)"] {
      let base = templates.appendingPathComponent(folder)
      for path in try FileManager.default.subpathsOfDirectory(atPath: base.path) {
        let file = base.appendingPathComponent(path)
        guard try file.resourceValues(forKeys: [.isRegularFileKey]).isRegularFile == true else {
          continue
        }
        // Hidden files of a template would act on the template tree itself.
        let target = filled(path == "gitignore" ? ".gitignore" : path)
        found[target] = try String(contentsOf: file, encoding: .utf8)
      }
    }
    let use = try String(
      contentsOf: templates.appendingPathComponent("use/\(kind.rawValue).md"), encoding: .utf8)
    return found.sorted { $0.key < $1.key }.map { path, text in
      (path, filled(text.replacing("@USE@\n", with: use)))
    }
  }

  private func filled(_ text: String) -> String {
    // Author and licence stand between double quotes, in all languages with the same escapes.
    let quoted = { (text: String) in
      text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
    }
    var result = text
    for (word, value) in [
      ("NAME", name), ("KIND", kind.rawValue), ("MODULE", module), ("CRATE", crate),
      ("LIBRARY", library), ("BUILT", built), ("INCLUDE", include), ("AUTHOR", quoted(author)),
      ("LICENSE", quoted(license)),
    ] {
      result = result.replacing("@\(word)@", with: value)
    }
    return result
  }
}
