import Foundation
import SparHost
import SparPipeline

/// The bar with the time left, on stderr: redrawn in place on a terminal, else a line now and then.
final class ProgressLine {
  private let isTerminal = isatty(STDERR_FILENO) == 1
  private let interval: Double
  private var last: ContinuousClock.Instant?
  private var lastLabel = ""
  private var isDrawn = false

  init() {
    interval = isTerminal ? 0.1 : 10
  }

  func show(_ moment: RunProgress.Snapshot) {
    let now = ContinuousClock.now
    let isNewStage = moment.label != lastLabel
    if let last, !isNewStage, (now - last) / .seconds(1) < interval { return }
    last = now
    lastLabel = moment.label
    let text = Self.text(moment)
    if isTerminal {
      // Back to the first column, the line, and whatever was longer before is cleared.
      write("\r\(text.prefix(width))\u{1B}[K")
      isDrawn = true
    } else {
      write(text + "\n")
    }
  }

  /// Leaves the terminal with an empty line.
  func finish() {
    if isDrawn { write("\r\u{1B}[K") }
    isDrawn = false
  }

  /// A handler for a command that is one stage.
  func stage(_ name: String) -> ProgressHandler {
    let whole = RunProgress([.init(label: name, stage: name, weight: 1)])
    return { self.show(whole.snapshot($0)) }
  }

  static func text(_ moment: RunProgress.Snapshot) -> String {
    let cells = 24
    let full = Int((moment.fraction * Double(cells)).rounded(.down))
    let bar = String(repeating: "█", count: full) + String(repeating: "░", count: cells - full)
    let percent = String(format: "%3d %%", Int((100 * moment.fraction).rounded(.down)))
    var parts = ["\(bar) \(percent)", moment.label]
    parts.append("\(Int((100 * moment.stageFraction).rounded(.down))) %")
    if !moment.detail.isEmpty { parts.append(moment.detail) }
    parts.append("\(RunReport.duration(moment.elapsed)) gone")
    if let remaining = moment.remaining { parts.append("\(RunReport.duration(remaining)) left") }
    return parts.joined(separator: " · ")
  }

  private var width: Int {
    var size = winsize()
    let known = ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0
    return known ? Int(size.ws_col) - 1 : 120
  }

  private func write(_ text: String) {
    FileHandle.standardError.write(Data(text.utf8))
  }
}
