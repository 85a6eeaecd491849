import CSparPlugin

/// A created backend: its adopted table and the `self` of its calls, destroyed with this object.
/// Operations are [serial] unless `api.flags` has SPAR_BE_CONCURRENT.
public final class BackendInstance: @unchecked Sendable {
  // Unchecked: the table is immutable; whoever calls it keeps to its thread rules.

  public let component: PluginComponent
  public let api: spar_backend_api
  private let held: ComponentInstance

  init(_ instance: ComponentInstance) {
    held = instance
    component = instance.component
    let table = component.raw.api.map { adopt($0, as: spar_backend_api.self) }
    api = table ?? spar_backend_api()
  }

  public var instance: UnsafeMutableRawPointer? { held.pointer }
  public var name: String { component.id }
}
