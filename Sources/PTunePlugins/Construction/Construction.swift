import CFFI
import CPTune
import PTuneFormats

/// Why a component could not be constructed from arguments that fit its schema.
public enum ConstructionError: Error, Hashable, Sendable {
  /// `create` returned this status; the host's record of the call holds the reason.
  case refused(component: String, status: Int32)
  /// libffi cannot make the call on this machine.
  case impossible(component: String)
}

extension ConstructionError: HelpfulError {
  /// Which component failed, and the status in words.
  public var description: String {
    switch self {
    case .refused(let component, let status):
      switch Int(status) {
      case Int(PTUNE_BAD_ARGUMENT): "\(component) does not accept these hyperparameters"
      case Int(PTUNE_UNSUPPORTED): "\(component) does not support this combination"
      case Int(PTUNE_CANCELLED): "\(component) was cancelled while it was being set up"
      default: "\(component) could not be set up (status \(status))"
      }
    case .impossible(let component):
      "the C function that sets up \(component) cannot be called on this machine"
    }
  }

  /// What the user can do.
  public var help: String? {
    switch self {
    case .refused(let component, _): "`ptune describe \(component)` shows what each hyperparameter means"
    case .impossible: "libffi does not support this system's calling convention"
    }
  }
}

/// Calls a component's C `create` with real C arguments, through libffi.
///
/// - Parameters:
///   - create: of the type `ptune_status (ptune_call *, void **self, …)`.
///   - component: its name, for errors.
///   - arguments: as `schema.arguments(from:)` gives them.
///   - call: the `ptune_call` that the host's functions take back.
/// - Returns: What `create` stored as `self`, which may be NULL.
/// - Throws: `ConstructionError` unless `create` returns `PTUNE_OK`.
func construct(
  _ create: @convention(c) () -> Void, component: String, schema: Schema, arguments: [TypedArgument],
  call: OpaquePointer?
) throws(ConstructionError) -> UnsafeMutableRawPointer? {
  guard let interface = CallInterface(of: schema) else { throw .impossible(component: component) }
  defer { interface.free() }
  var instance: UnsafeMutableRawPointer?
  var result = ffi_arg()
  withUnsafeMutablePointer(to: &instance) { place in
    var storage = ArgumentStorage()
    defer { storage.free() }
    storage.append(call)
    storage.append(place)
    for argument in arguments { storage.append(argument) }
    var pointers = storage.pointers
    ffi_call(interface.cif, create, &result, &pointers)
  }
  // NB: libffi widens an int32_t result to a whole ffi_arg.
  let status = Int32(truncatingIfNeeded: result)
  guard status == PTUNE_OK else { throw .refused(component: component, status: status) }
  return instance
}
