import SparText

/// Examines a data set for a model: boundaries, lengths, repetitions, leakage.
///
///     let doctor = DataDoctor(chat: chat)
///     try doctor.learnHeldOut(heldOut)
///     let report = try doctor.examine(rows)
///
/// Memory: two numbers a row, and the held-out prompts' words.
public final class DataDoctor {
  public struct Options: Equatable, Sendable {
    /// Of prompt and answer together, in tokens.
    public var maxLength = 1024
    /// That the model has; nil where it is not known.
    public var maxPositions: Int?
    /// Whether `chosen_probs` and its fellows are log-odds, as in the published code's data for GPO.
    public var readsLogOdds = false
    /// Of a model without a tokenizer, of which there is no `ChatEncoder`.
    public var endIDs: [Int32]?

    public init() {}
  }

  let chat: ChatEncoder?
  let options: Options
  let specialTokens: [String]
  var table = FindingTable()
  var seen: Set<Digest> = []
  var heldOut = PromptOverlap()
  private var rows = 0
  /// Ids that end an answer; nil without a model.
  var endIDs: [Int32]? { chat?.endIDs ?? options.endIDs }

  /// - Parameter chat: nil leaves out what needs a model.
  public init(chat: ChatEncoder?, options: Options = Options()) {
    self.chat = chat
    self.options = options
    specialTokens =
      chat.map { chat in
        chat.tokenizer.specialIDs.sorted().compactMap { chat.tokenizer.token($0) }
          .filter { $0.utf8.count > 2 }
      } ?? []
  }

  /// Prompts that must not be trained on; to be called before `examine`.
  public func learnHeldOut(_ reader: MixtureReader) throws(DataError) {
    while let (row, form) = try reader.nextWithForm() {
      heldOut.add(try Example(row, form: form), place: row.place)
    }
  }

  /// Reads all rows.
  ///
  /// - Throws: `DataError` where a file cannot be read on; rows that can be read and are wrong are
  ///   findings.
  public func examine(_ reader: MixtureReader) throws(DataError) -> DoctorReport {
    while let (row, form) = try reader.nextWithForm() { examine(row, form) }
    return report(form: reader.form, columns: reader.columns)
  }

  /// One row.
  public func examine(_ row: DataRow, _ form: DataForm) {
    rows += 1
    if rows == 1, let endIDs, endIDs.isEmpty { table.add(.noEnd, row.place) }
    let example: Example
    do throws(DataError) {
      example = try Example(row, form: form)
    } catch {
      return table.add(.unreadableRow, row.place, error.problem)
    }
    checkText(row, example)
    checkPair(row, example, form)
    checkRoles(row, example)
    checkRepetition(row, example, form)
    if heldOut.count > 0 { checkOverlap(row, example) }
    checkBoundaries(row, example)
  }

  public func report(form: DataForm?, columns: [String]) -> DoctorReport {
    DoctorReport(
      rows: rows, form: form?.rawValue ?? "", columns: columns,
      heldOutRows: heldOut.count > 0 ? heldOut.count : nil, findings: table.findings)
  }
}
