import SparText

/// A JSON file that is one array of objects, or an object whose member `data` is one.
///
/// Only the row at hand is in memory: the text between rows is walked byte by byte.
final class JSONArrayReader: RowReader {
  private let path: String
  private var window: ByteWindow
  private var row = 0
  private var isOpen = false
  private var isWrapped = false
  private var isFinished = false

  init(_ path: String) throws(DataError) {
    self.path = path
    window = ByteWindow(try FileBytes(path))
  }

  deinit { window.free() }

  func next() throws(DataError) -> DataRow? {
    guard !isFinished else { return nil }
    if !isOpen {
      try findArray()
      isOpen = true
    }
    guard var byte = try peekAfterSpace() else { throw damaged("the array does not end") }
    if byte == UInt8(ascii: "]") { return try finish() }
    if row > 0 {
      guard byte == UInt8(ascii: ",") else { throw damaged("expected ',' or ']'") }
      window.drop(1)
      guard let first = try peekAfterSpace() else { throw damaged("the array does not end") }
      byte = first
    }
    row += 1
    let length = try elementLength()
    let bytes = UnsafeBufferPointer(rebasing: window.bytes[..<length])
    defer { window.drop(length) }
    return try JSONRow.row(bytes, place: RowPlace(path: path, number: row, unit: .row))
  }

  /// Members behind a wrapped array are passed over; behind a bare one nothing may follow.
  private func finish() throws(DataError) -> DataRow? {
    isFinished = true
    window.drop(1)
    if !isWrapped, try peekAfterSpace() != nil { throw damaged("more text behind the array") }
    return nil
  }

  private func damaged(_ what: String) -> DataError {
    DataError(
      path: path, place: "byte \(window.offset)", what: "not JSON (\(what))",
      cure: "a .json file is an array of objects, {\"data\": [objects]}, or an object a line")
  }

  private func more() throws(DataError) -> Bool {
    let number = row
    return try window.more(limit: DataLimits.rowBytes) { "row \(number)" }
  }

  private func peekAfterSpace() throws(DataError) -> UInt8? {
    while true {
      let bytes = window.bytes
      let spaces = bytes.prefix { $0 == 0x20 || $0 == 0x0A || $0 == 0x0D || $0 == 0x09 }.count
      window.drop(spaces)
      if let byte = window.bytes.first { return byte }
      if !(try more()) { return nil }
    }
  }

  /// Goes to behind the '[' of the rows.
  private func findArray() throws(DataError) {
    if window.bytes.isEmpty { _ = try more() }
    if window.bytes.starts(with: [0xEF, 0xBB, 0xBF]) { window.drop(3) }
    guard var byte = try peekAfterSpace() else { throw damaged("the file is empty") }
    if byte == UInt8(ascii: "[") { return window.drop(1) }
    guard byte == UInt8(ascii: "{") else { throw damaged("it begins with neither '[' nor '{'") }
    window.drop(1)
    while true {
      guard try peekAfterSpace() == UInt8(ascii: "\"") else {
        throw damaged("no member \"data\" with a list")
      }
      let length = try elementLength()
      let isData = window.bytes[..<length].elementsEqual(Array("\"data\"".utf8))
      window.drop(length)
      guard try peekAfterSpace() == UInt8(ascii: ":") else { throw damaged("expected ':'") }
      window.drop(1)
      guard let first = try peekAfterSpace() else { throw damaged("the text ends too early") }
      byte = first
      if isData, byte == UInt8(ascii: "[") {
        isWrapped = true
        return window.drop(1)
      }
      window.drop(try elementLength())
      guard try peekAfterSpace() == UInt8(ascii: ",") else {
        throw damaged("no member \"data\" with a list")
      }
      window.drop(1)
    }
  }

  /// Bytes of the value that begins the window, whatever it holds.
  private func elementLength() throws(DataError) -> Int {
    var at = 0
    var depth = 0
    var isText = false
    var isEscaped = false
    while true {
      let bytes = window.bytes
      while at < bytes.count {
        let byte = bytes[at]
        if isText {
          if isEscaped {
            isEscaped = false
          } else if byte == UInt8(ascii: "\\") {
            isEscaped = true
          } else if byte == UInt8(ascii: "\"") {
            isText = false
            if depth == 0 { return at + 1 }
          }
        } else {
          switch byte {
          case UInt8(ascii: "\""): isText = true
          case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
          case UInt8(ascii: "}"), UInt8(ascii: "]"):
            if depth == 0 { return at }
            depth -= 1
            if depth == 0 { return at + 1 }
          case UInt8(ascii: ","), UInt8(ascii: ":"):
            if depth == 0 { return at }
          default: break
          }
        }
        at += 1
      }
      if !(try more()) { throw damaged("the text ends too early") }
    }
  }
}
