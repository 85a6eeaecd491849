import Glibc

/// "SIGSEGV" for 11; the system's words for rarer ones.
func signalName(_ signal: Int32) -> String {
  switch signal {
  case SIGSEGV: "SIGSEGV"
  case SIGABRT: "SIGABRT"
  case SIGBUS: "SIGBUS"
  case SIGFPE: "SIGFPE"
  case SIGILL: "SIGILL"
  case SIGTRAP: "SIGTRAP"
  case SIGKILL: "SIGKILL"
  case SIGTERM: "SIGTERM"
  case SIGINT: "SIGINT"
  case SIGPIPE: "SIGPIPE"
  default: strsignal(signal).map { String(cString: $0) } ?? "unknown"
  }
}

/// A number as people write it: "10", "0.25".
func brief(_ value: Double) -> String {
  value == value.rounded() && abs(value) < 1e15 ? "\(Int(value))" : "\(value)"
}

/// The text of an `errno`.
func systemText(_ code: Int32) -> String { String(cString: strerror(code)) }

/// The first line of a text, cut to a length that fits a report.
func excerpt(_ text: String, limit: Int = 120) -> String {
  let line = text.split(separator: "\n").first.map(String.init) ?? ""
  return line.count > limit ? line.prefix(limit) + "…" : line
}
