extension Tokenizer {
  /// What kind of tokenizer it is, in the words of tokenizer.json: "BPE, byte-level".
  public var kind: String {
    guard let original else { return "BPE, byte-level" }
    do throws(JSONSyntaxError) {
      let root = try JSONParser.parse(original)
      let type = root["model"]?["type"]?.string ?? "BPE"
      if GGUFPreTokenizer.isByteLevel(root) { return type + ", byte-level" }
      return root["model"]?["byte_fallback"]?.boolean == true ? type + ", byte fallback" : type
    } catch {
      return "(unreadable: \(error.what))"
    }
  }
}
