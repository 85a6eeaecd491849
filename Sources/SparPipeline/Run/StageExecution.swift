import Foundation
import SparHost
import SparStore

/// A finished stage: what the ledger says of it, and where its files really lie.
struct StageOutcome {
  var record: StageLedger.Record
  /// The run's folder, or the store's.  Files that name their inputs name them there, so that
  /// their bytes do not depend on which run computed them.
  var folder: String

  func file(_ name: String) -> String { folder + "/" + name }

  /// The final file.
  var output: String { file(record.output ?? "") }
}

/// A stage as the loop asks for it.
struct StageRequest {
  var name: String
  /// 0 for the base model's answers.
  var iteration: Int
  var folder: RunDirectory.Folder
  var key: StageKey
  /// Files and folders that it leaves, by name in its folder.
  var outputs: [String]
  /// The final file, where its name is known beforehand.
  var output: String?
  /// False for outputs that no later key names, since they may be large.
  var isDigested = true
}

extension SelfPlayRun {
  /// Does `work` unless it is done; `work` returns the final file and figures for the report.
  func stage(
    _ request: StageRequest, work: () throws -> (output: String, figures: [String: Double])
  ) throws -> StageOutcome {
    if let shared { return try sharedStage(request, shared.sharing, shared.plan, work: work) }
    var ledger = try StageLedger(path: request.folder.ledger)
    if let record = try finished(request, ledger) {
      return StageOutcome(record: record, folder: request.folder.path)
    }
    let (file, figures, digest) = try compute(request, &ledger, work)
    try ledger.finish(request.name, output: file, digest: digest, figures: figures)
    advance(bySkipping: false)
    guard let record = ledger.record(of: request.name) else { preconditionFailure("just written") }
    return StageOutcome(record: record, folder: request.folder.path)
  }

  private func finished(
    _ request: StageRequest, _ ledger: StageLedger
  ) throws -> StageLedger.Record? {
    let output = request.output.map { request.folder.path + "/" + $0 }
    guard
      case .finished(let record) = try ledger.state(
        of: request.name, key: request.key, output: output)
    else { return nil }
    advance(bySkipping: true)
    return record
  }

  private func compute(
    _ request: StageRequest, _ ledger: inout StageLedger,
    _ work: () throws -> (output: String, figures: [String: Double])
  ) throws -> (file: String, figures: [String: Double], digest: String?) {
    try ledger.begin(request.name, key: request.key)
    let start = ContinuousClock.now
    report(SparHost.Progress(stage: request.name, done: 0, total: 1, unit: ""))
    var (file, figures) = try work()
    figures["seconds"] = (ContinuousClock.now - start) / .seconds(1)
    return (file, figures, request.isDigested ? try fileDigest(file) : nil)
  }

  /// The same with a store: found there, or computed under its lock and left there.
  private func sharedStage(
    _ request: StageRequest, _ sharing: StageSharing, _ plan: RunPlan,
    work: () throws -> (output: String, figures: [String: Double])
  ) throws -> StageOutcome {
    let (folder, store) = (request.folder, sharing.store)
    guard let planned = plan.stage(request.name, iteration: request.iteration) else {
      preconditionFailure("the plan lacks \(request.name)")
    }
    let address = planned.address
    var ledger = try StageLedger(path: folder.ledger)
    let earlier = ledger.record(of: request.name)
    if let earlier {
      // An input that was made again may differ; a setting may not.
      let changes = request.key.changes(from: earlier.key)
        .filter { !StageKeys.inputs.contains($0.name) }
      guard changes.isEmpty else {
        throw RunError.settingsChanged(
          stage: request.name, folder: folder.path, changes: changes)
      }
      if earlier.finished, earlier.key == request.key {
        // Done before there was a store: it stays where it is.
        if earlier.address == nil, let record = try finished(request, ledger) {
          return StageOutcome(record: record, folder: folder.path)
        }
        if earlier.address == address.digest, let entry = try store.entry(address),
          entry.key == request.key,
          request.outputs.allSatisfy({ FileTree.isLink("\(folder.path)/\($0)") })
        {
          // It may have been deleted and computed again since.
          if !earlier.isOf(entry) { try ledger.adopt(request.name, entry) }
          advance(bySkipping: true)
          return try outcome(request, store, address, ledger)
        }
      }
    }
    report(
      SparHost.Progress(
        stage: request.name, done: 0, total: 1, unit: "", detail: "waiting for its turn"))
    guard let lock = try store.lock(address, isCancelled: isCancelled) else {
      throw RunError.interrupted(resume: "run the same command again to go on")
    }
    defer { withExtendedLifetime(lock) {} }
    if let entry = try store.entry(address), entry.key == request.key {
      try adopt(entry, request, store, &ledger)
      try sharing.note(.reused, address, seconds: entry.seconds)
      advance(bySkipping: true)
      return try outcome(request, store, address, ledger)
    }
    for name in request.outputs {
      let path = "\(folder.path)/\(name)"
      // A link to what is gone, or what was made of other inputs.
      let isForeign = earlier.map { $0.key != request.key } ?? false
      if FileTree.isLink(path) || isForeign { try FileTree.remove(path) }
    }
    let (file, figures, digest) = try compute(request, &ledger, work)
    let entry = StageStore.Entry(
      address: address, key: request.key, output: String(file.dropFirst(folder.path.count + 1)),
      outputDigest: digest, files: [:], figures: figures, computedBy: sharing.label,
      threads: runtime.threads, work: planned.work, parameters: plan.parameters)
    try store.publish(entry, outputs: request.outputs, from: folder.path)
    guard let stored = try store.entry(address) else {
      throw RunError.outputLost(
        stage: request.name, file: store.folder(address), problem: "vanished as it was stored")
    }
    try adopt(stored, request, store, &ledger)
    try sharing.note(.computed, address, seconds: entry.seconds)
    advance(bySkipping: false)
    return try outcome(request, store, address, ledger)
  }

  /// Links the run's folder to the stored files and writes that down.
  private func adopt(
    _ entry: StageStore.Entry, _ request: StageRequest, _ store: StageStore,
    _ ledger: inout StageLedger
  ) throws {
    for name in request.outputs {
      let path = "\(request.folder.path)/\(name)"
      try FileTree.link(path, to: "\(store.folder(entry.address))/\(name)")
      // Of an earlier attempt here, while another run computed the same.
      try FileTree.remove(path + ".journal")
    }
    try ledger.adopt(request.name, entry)
  }

  private func outcome(
    _ request: StageRequest, _ store: StageStore, _ address: StageAddress, _ ledger: StageLedger
  ) throws -> StageOutcome {
    guard let record = ledger.record(of: request.name) else { preconditionFailure("just written") }
    return StageOutcome(record: record, folder: store.folder(address))
  }
}
