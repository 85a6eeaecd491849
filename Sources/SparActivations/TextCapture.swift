import SparModel

/// Captures a long row of texts, packing as many into a pass as fit.
///
/// Texts come one by one and are forgotten after their pass: memory does not grow with their number.
public final class TextCapture {
  private let capture: ActivationCapture
  private let model: LanguageModel
  /// Token rows of a pass; a text that needs more is a pass of its own.
  private let rowsPerPass: Int
  private var waiting: [CaptureGroup] = []
  private var waitingRows = 0

  public init(_ capture: ActivationCapture, _ model: LanguageModel, rowsPerPass: Int = 512) {
    precondition(rowsPerPass > 0, "a pass has at least one row")
    self.capture = capture
    self.model = model
    self.rowsPerPass = rowsPerPass
  }

  /// Texts in finished passes: so many, from the start of the file, are not to be added again.
  public var done: Int { capture.samples }

  /// One text, as a group of one answer.
  public func add(_ text: CaptureGroup) throws {
    precondition(text.answers.count == 1, "a text is one sample")
    if !waiting.isEmpty, waitingRows + text.passRows > rowsPerPass { try flush() }
    waiting.append(text)
    waitingRows += text.passRows
  }

  /// Runs what is waiting.
  public func flush() throws {
    guard !waiting.isEmpty else { return }
    // Passes follow one another: the number of texts before one is as good as a pass number.
    try capture.add(waiting, order: capture.samples, under: model)
    waiting = []
    waitingRows = 0
  }
}
