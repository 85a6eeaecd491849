extension ModelFiles {
  /// What a model argument names, without reading its weights: for its tokenizer, template, shape.
  public static func open(_ argument: String) throws -> ModelFiles {
    switch try ModelLocation.resolve(argument) {
    case .huggingFace(let folder): try huggingFace(folder)
    case .gguf(let file): try gguf(file)
    case .checkpoint(let file): try checkpoint(file)
    }
  }
}
