import Glibc

/// Why a file is not a shared library that this process could load.
public enum ELFProblem: Error, Equatable, Sendable {
  case unreadable(String)
  /// What the file lacks: "the ELF magic", "a dynamic symbol table", …
  case malformed(lacks: String)
  case otherMachine(UInt16)
}

/// The names that a shared library defines, read from its .dynsym without running any of it.
/// Works on stripped files; every offset is checked, so a truncated or hostile file is an error.
package func definedSymbols(
  of path: String, startingWith prefix: String
) throws(ELFProblem) -> [String] {
  let file = try ELFFile(path)
  let header = try file.bytes(at: 0, count: 64, for: "an ELF header")
  guard header[0..<4].elementsEqual([0x7f, 0x45, 0x4c, 0x46]) else {
    throw .malformed(lacks: "the ELF magic")
  }
  // Class 2 is 64 bits, data 1 little endian, type 3 a shared object.
  guard header[4] == 2, header[5] == 1, header.u16(16) == 3 else {
    throw .malformed(lacks: "the form of a 64-bit shared object")
  }
  guard header.u16(18) == thisMachine else { throw .otherMachine(header.u16(18)) }
  let entrySize = Int(header.u16(58))
  let count = Int(header.u16(60))
  guard entrySize >= 64, count > 0 else { throw .malformed(lacks: "a section table") }
  let sections = try file.bytes(
    at: header.u64(40), count: entrySize * count, for: "its section table")
  let dynamicSymbols: UInt32 = 11
  for index in 0..<count where sections.u32(index * entrySize + 4) == dynamicSymbols {
    let symbols = try file.section(sections, index * entrySize, for: "its dynamic symbols")
    let link = Int(sections.u32(index * entrySize + 40))
    guard link < count else { throw .malformed(lacks: "the names of its dynamic symbols") }
    let names = try file.section(
      sections, link * entrySize, for: "the names of its dynamic symbols")
    return exported(symbols, names, startingWith: prefix)
  }
  throw .malformed(lacks: "a dynamic symbol table")
}

#if arch(x86_64)
  private let thisMachine: UInt16 = 62
#elseif arch(arm64)
  private let thisMachine: UInt16 = 183
#endif

/// Symbols of 24 bytes: name u32, info u8, other u8, section u16, value u64, size u64.
private func exported(
  _ symbols: [UInt8], _ names: [UInt8], startingWith prefix: String
) -> [String] {
  let prefix = Array(prefix.utf8)
  var found: [String] = []
  for symbol in stride(from: 0, through: symbols.count - 24, by: 24) {
    let binding = symbols[symbol + 4] >> 4
    let isDefined = symbols.u16(symbol + 6) != 0
    let name = Int(symbols.u32(symbol))
    guard isDefined, binding == 1 || binding == 2, name < names.count else { continue }
    let text = names[name...].prefix { $0 != 0 }
    if text.starts(with: prefix) { found.append(String(decoding: text, as: UTF8.self)) }
  }
  return found
}

/// Reads parts of a file: never mapped, so that a file which shrinks cannot kill the process.
private struct ELFFile: ~Copyable {
  let descriptor: Int32
  let size: UInt64

  init(_ path: String) throws(ELFProblem) {
    // O_NONBLOCK: opening a named pipe must not wait for its writer.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw .unreadable(systemError(errno)) }
    var info = stat()
    guard fstat(descriptor, &info) == 0, info.st_mode & S_IFMT == S_IFREG else {
      close(descriptor)
      throw .unreadable("not a regular file")
    }
    self.descriptor = descriptor
    size = UInt64(max(info.st_size, 0))
  }

  deinit {
    close(descriptor)
  }

  func section(
    _ table: [UInt8], _ entry: Int, for what: String
  ) throws(ELFProblem) -> [UInt8] {
    let count = table.u64(entry + 32)
    guard count <= size else { throw .malformed(lacks: what) }
    return try bytes(at: table.u64(entry + 24), count: Int(count), for: what)
  }

  func bytes(at offset: UInt64, count: Int, for what: String) throws(ELFProblem) -> [UInt8] {
    guard offset <= size, UInt64(count) <= size - offset else { throw .malformed(lacks: what) }
    var bytes = [UInt8](repeating: 0, count: count)
    var done = 0
    while done < count {
      let n = bytes.withUnsafeMutableBytes { buffer in
        pread(descriptor, buffer.baseAddress.map { $0 + done }, count - done, Int(offset) + done)
      }
      if n < 0 { throw .unreadable(systemError(errno)) }
      if n == 0 { throw .malformed(lacks: what) }
      done += n
    }
    return bytes
  }
}

extension [UInt8] {
  fileprivate func u16(_ at: Int) -> UInt16 { little(at) }
  fileprivate func u32(_ at: Int) -> UInt32 { little(at) }
  fileprivate func u64(_ at: Int) -> UInt64 { little(at) }

  private func little<T: FixedWidthInteger>(_ at: Int) -> T {
    withUnsafeBytes { T(littleEndian: $0.loadUnaligned(fromByteOffset: at, as: T.self)) }
  }
}
