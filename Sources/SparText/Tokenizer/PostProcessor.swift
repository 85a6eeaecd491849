/// What goes around the ids when special tokens are wanted, for one text.
///
/// Source: Hugging Face tokenizers, `processors`. Of TemplateProcessing only the single form
/// matters here; ByteLevel adds nothing to ids.
struct PostProcessor: Equatable, Sendable {
  var before: [Int32] = []
  var after: [Int32] = []

  /// The inner text of `self` is what `inner` makes.
  func around(_ inner: PostProcessor) -> PostProcessor {
    PostProcessor(before: before + inner.before, after: inner.after + after)
  }
}
