import Foundation

/// The most memory this process ever held, from the kernel's account.
public enum PeakMemory {
  /// VmHWM in bytes; 0 where /proc is not mounted.
  public static func bytes() -> Int {
    guard let status = FileManager.default.contents(atPath: "/proc/self/status") else { return 0 }
    for line in String(decoding: status, as: UTF8.self).split(separator: "\n")
    where line.hasPrefix("VmHWM:") {
      let digits = line.filter(\.isNumber)
      return (Int(digits) ?? 0) * 1024
    }
    return 0
  }
}
