import ArgumentParser
import Foundation
import SparGeneration
import SparHost
import SparModel
import SparPipeline
import SparPreference
import SparReport
import SparSweeps
import SparTraining

/// How a failed command ends: one line on stderr, a hint where there is a cure, an exit code.
enum SparFailure {
  static let failed: Int32 = 1
  static let usage: Int32 = 2
  static let interrupted: Int32 = 130
  static let readerGone: Int32 = 141

  static func report(_ error: any Error) -> Int32 {
    if let code = reportParser(error) { return code }
    // `spar … | head` has seen enough: what every Unix tool does then.
    if let gone = error as? Terminal.WriteError, gone.code == EPIPE { return readerGone }
    if isStop(error) {
      Terminal.error("spar: interrupted: \(message(error))")
      Terminal.error("hint: run the same command again to go on")
      return interrupted
    }
    Terminal.error("spar: error: \(message(error))")
    if let hint = hint(error) { Terminal.error("hint: \(hint)") }
    return isUsage(error) ? usage : failed
  }

  /// Help and version go to stdout with code 0; a wrong command line gets our form of error.
  private static func reportParser(_ error: any Error) -> Int32? {
    if let code = error as? ExitCode { return code.rawValue }
    let code = Spar.exitCode(for: error)
    guard error is ValidationError || code != .failure else { return nil }
    if code == .success {
      do {
        try Terminal.line(Spar.fullMessage(for: error))
        return 0
      } catch {
        return failed
      }
    }
    Terminal.error("spar: error: \(Spar.message(for: error))")
    let full = Spar.fullMessage(for: error)
    if let usageLine = full.split(separator: "\n").first(where: { $0.hasPrefix("Usage:") }) {
      Terminal.error("hint: \(usageLine); see --help")
    }
    return usage
  }

  private static func isStop(_ error: any Error) -> Bool {
    switch error {
    case GenerationError.cancelled, TrainingError.cancelled, RankingError.cancelled,
      CaptureError.cancelled, RunError.interrupted, ExportError.interrupted:
      return true
    default: return Interrupts.interruption.isRequested
    }
  }

  private static func isUsage(_ error: any Error) -> Bool {
    switch error {
    case is RecipeError, is UsageError: return true
    case ReportError.baseline, ReportError.format, ReportError.mixed, ReportError.twice: return true
    case PluginError.unknownComponent, PluginError.unknownOption, PluginError.optionTwice,
      PluginError.missingOption, PluginError.badOption:
      return true
    case RunError.restart, RunError.until: return true
    case ActivationError.layer, ActivationError.embedding, CaptureError.noLanguageModel,
      CaptureError.nothingChosen:
      return true
    case SweepError.memory: return false
    case is SweepError: return true
    default: return false
    }
  }

  /// Our errors describe themselves; Foundation's are cut down to the file and the system's word.
  static func message(_ error: any Error) -> String {
    guard !(error is CocoaError), !(error is POSIXError), type(of: error) != NSError.self else {
      let cocoa = error as NSError
      let path = cocoa.userInfo[NSFilePathErrorKey] as? String
      let reason =
        systemCode(cocoa).map { String(cString: strerror($0)) }
        ?? cocoa.localizedDescription
      return path.map { "\($0): \(reason)" } ?? reason
    }
    return "\(error)"
  }

  /// The errno behind a Foundation error, where there is one.
  private static func systemCode(_ error: NSError) -> Int32? {
    if let below = error.userInfo[NSUnderlyingErrorKey] as? NSError,
      below.domain == NSPOSIXErrorDomain
    {
      return Int32(below.code)
    }
    guard error.domain == NSCocoaErrorDomain else { return nil }
    switch CocoaError.Code(rawValue: error.code) {
    case .fileNoSuchFile, .fileReadNoSuchFile: return ENOENT
    case .fileWriteFileExists: return EEXIST
    case .fileReadNoPermission, .fileWriteNoPermission: return EACCES
    case .fileWriteOutOfSpace: return ENOSPC
    case .fileWriteVolumeReadOnly: return EROFS
    default: return nil
    }
  }

  private static func hint(_ error: any Error) -> String? {
    switch error {
    case let error as RunError: return error.hint
    case let error as ReportError: return error.hint
    case let error as SweepError: return error.hint
    case let error as UsageError: return error.hint
    case RecipeError.unknownKey(let key, _, _):
      return ForeignNames.advice(for: key)
        ?? "--help lists the settings of a command; `spar run RECIPE --show` those of a recipe"
    case RecipeError.foreign("prompts", _, "train", _):
      return "pairs or a ranking to train on are named by --preferences"
    case RecipeError.foreign:
      return "--help lists the settings of a command; `spar run RECIPE --show` those of a recipe"
    case RecipeError.missing(let key, _):
      var flag = key
      if key.contains("."), case .setting(let setting)? = SettingTable.find(key) {
        flag = setting.aliases.first ?? key
      }
      return "give --\(flag) or write it into the recipe"
    case let error as ModelError:
      if case .notFetched(let name, _) = error.reason { return "spar model fetch \(name)" }
      return nil
    case PluginError.unknownComponent: return "`spar plugin list` shows what was found"
    case PluginError.unknownOption(let component, _, _, _),
      PluginError.missingOption(let component, _):
      return "`spar plugin info \(component)` lists its options"
    default: return nil
    }
  }
}

/// A command line that ArgumentParser accepts and we do not.
struct UsageError: Error, CustomStringConvertible {
  var description: String
  var hint: String?

  init(_ description: String, hint: String? = nil) {
    self.description = description
    self.hint = hint
  }
}
