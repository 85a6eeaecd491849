/// The hybrid of runs and packed bits that levels and dictionary indices are written in.
///
/// Values come one at a time: a run of two thousand million costs nothing.
struct RunLength {
  private let page: PageBytes
  private var at: Int
  private let end: Int
  private let bits: Int
  private var value = 0
  private var repeats = 0
  private var packed = 0
  private var bit = 0

  init(_ page: PageBytes, at: Int, end: Int, bits: Int) throws(ParquetFault) {
    guard (0...32).contains(bits), at >= 0, end <= page.count, at <= end else {
      throw ParquetFault(what: "runs of \(bits) bits from byte \(at) to \(end) of a page")
    }
    self.page = page
    self.at = at
    self.end = end
    self.bits = bits
  }

  mutating func next() throws(ParquetFault) -> Int {
    if bits == 0 { return 0 }
    while repeats == 0, packed == 0 { try head() }
    if repeats > 0 {
      repeats -= 1
      return value
    }
    packed -= 1
    let first = at + bit / 8
    let last = at + (bit + bits - 1) / 8
    guard last < end else { throw ParquetFault(what: "packed values end too early") }
    var word: UInt64 = 0
    for place in stride(from: last, through: first, by: -1) {
      word = word << 8 | UInt64(try page.byte(place))
    }
    let result = Int(word >> UInt64(bit % 8) & (1 << UInt64(bits) - 1))
    bit += bits
    if packed == 0 { at += (bit + 7) / 8 }
    return result
  }

  private mutating func head() throws(ParquetFault) {
    var header: UInt64 = 0
    var shift: UInt64 = 0
    while true {
      guard at < end, shift < 35 else { throw ParquetFault(what: "runs end too early") }
      let byte = try page.byte(at)
      at += 1
      header |= UInt64(byte & 0x7F) << shift
      shift += 7
      if byte < 0x80 { break }
    }
    let count = Int(header >> 1)
    if header & 1 == 1 {
      packed = count * 8
      bit = 0
      // Writers may leave out the padding of the last group.
      packed = min(packed, (end - at) * 8 / bits)
      guard packed > 0 else { throw ParquetFault(what: "packed values end too early") }
      return
    }
    let width = (bits + 7) / 8
    guard at + width <= end else { throw ParquetFault(what: "runs end too early") }
    value = 0
    for place in stride(from: at + width - 1, through: at, by: -1) {
      value = value << 8 | Int(try page.byte(place))
    }
    at += width
    repeats = count
  }
}
