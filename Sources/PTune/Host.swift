import CPTune

/// The host as this image sees it: the tables it handed to the plugin, and the call in progress on each thread.
///
/// Every image that links the kit (the program and each Swift plugin) has its own copy of these variables.
public enum Host {
  // NB: `nonisolated(unsafe)` is sound here: the tables are set once, before any component exists.
  nonisolated(unsafe) static var host: UnsafePointer<ptune_host_v1>?
  nonisolated(unsafe) static var tables = Tables()

  private static let call = ThreadLocalPointer()

  /// The call in progress on this thread.
  static var currentCall: OpaquePointer? {
    get { call.value.map { OpaquePointer($0) } }
    set { call.value = newValue.map { UnsafeMutableRawPointer($0) } }
  }

  struct Tables {
    var ops: UnsafePointer<ptune_ops_v1>?
    var parameters: UnsafePointer<ptune_parameters_v1>?
    var closures: UnsafePointer<ptune_closures_v1>?
    var checkpoint: UnsafePointer<ptune_checkpoint_v1>?
    var base: UnsafePointer<ptune_base_v1>?
    var tasks: UnsafePointer<ptune_tasks_v1>?
    var forward: UnsafePointer<ptune_forward_v1>?
    var batch: UnsafePointer<ptune_batch_v1>?
    var injections: UnsafePointer<ptune_injections_v1>?
    var sites: UnsafePointer<ptune_sites_v1>?
    var export: UnsafePointer<ptune_export_v1>?
    var arrangement: UnsafePointer<ptune_arrangement_v1>?
    var data: UnsafePointer<ptune_data_v1>?
    var select: UnsafePointer<ptune_select_v1>?
    var attention: UnsafePointer<ptune_attention_v1>?
    var input: UnsafePointer<ptune_input_v1>?
    var secondCheckpoint: UnsafePointer<ptune_checkpoint_v2>?
    var secondParameters: UnsafePointer<ptune_parameters_v2>?
  }

  /// Makes `host` the host of this image. The program calls it with its own table, a plugin's entry with the
  /// one it is given.
  public static func connect(_ host: UnsafePointer<ptune_host_v1>) {
    func table<T>(_ id: String, _ type: T.Type) -> UnsafePointer<T>? {
      host.pointee.interface_for(id)?.assumingMemoryBound(to: T.self)
    }
    self.host = host
    tables = Tables(
      ops: table(PTUNE_OPS_V1, ptune_ops_v1.self),
      parameters: table(PTUNE_PARAMETERS_V1, ptune_parameters_v1.self),
      closures: table(PTUNE_CLOSURES_V1, ptune_closures_v1.self),
      checkpoint: table(PTUNE_CHECKPOINT_V1, ptune_checkpoint_v1.self),
      base: table(PTUNE_BASE_V1, ptune_base_v1.self),
      tasks: table(PTUNE_TASKS_V1, ptune_tasks_v1.self),
      forward: table(PTUNE_FORWARD_V1, ptune_forward_v1.self),
      batch: table(PTUNE_BATCH_V1, ptune_batch_v1.self),
      injections: table(PTUNE_INJECTIONS_V1, ptune_injections_v1.self),
      sites: table(PTUNE_SITES_V1, ptune_sites_v1.self),
      export: table(PTUNE_EXPORT_V1, ptune_export_v1.self),
      arrangement: table(PTUNE_ARRANGEMENT_V1, ptune_arrangement_v1.self),
      data: table(PTUNE_DATA_V1, ptune_data_v1.self),
      select: table(PTUNE_SELECT_V1, ptune_select_v1.self),
      attention: table(PTUNE_ATTENTION_V1, ptune_attention_v1.self),
      input: table(PTUNE_INPUT_V1, ptune_input_v1.self),
      secondCheckpoint: table(PTUNE_CHECKPOINT_V2, ptune_checkpoint_v2.self),
      secondParameters: table(PTUNE_PARAMETERS_V2, ptune_parameters_v2.self))
  }

  /// Runs `body` with `call` as the call in progress.
  public static func within<Result>(_ call: OpaquePointer?, _ body: () throws -> Result) rethrows -> Result {
    let outer = currentCall
    currentCall = call
    defer { currentCall = outer }
    return try body()
  }

  /// States why the call in progress fails; the first reason given wins.
  static func fail(_ error: any Error) -> ptune_status {
    let failure = error as? ComponentFailure ?? ComponentFailure("\(error)")
    host?.pointee.fail(currentCall, failure.status, failure.reason)
    return failure.status
  }

  /// Runs a component's method as the C ABI wants it: an error becomes a recorded failure and a status.
  static func status(in call: OpaquePointer?, _ body: () throws -> Void) -> ptune_status {
    within(call) {
      do {
        try body()
        return ptune_status(PTUNE_OK)
      } catch {
        return fail(error)
      }
    }
  }

  /// Like ``status(in:_:)`` for a method that returns a tensor.
  static func tensor(in call: OpaquePointer?, _ body: () throws -> Tensor) -> OpaquePointer? {
    within(call) {
      do {
        return try body().handle
      } catch {
        _ = fail(error)
        return nil
      }
    }
  }

  /// Turns a status that the other side of the ABI returned into an error. The reason was recorded there.
  static func check(_ status: ptune_status, _ what: String) throws(ComponentFailure) {
    if status != PTUNE_OK { throw ComponentFailure("\(what) failed, no reason given", status: status) }
  }

  /// States that this host lacks an interface that a later minor version has.
  static func missing(_ id: String) { _ = fail(lacks(id)) }

  /// That it does, as an error.
  static func lacks(_ id: String) -> ComponentFailure {
    .unsupported("this ptune has no \(id); update it")
  }

  /// Sends a message for the user.
  public static func log(_ message: String, warning: Bool = false) {
    host?.pointee.log(
      currentCall, ptune_log_level(warning ? PTUNE_LOG_WARNING : PTUNE_LOG_INFO), message)
  }

  /// 64 random bits, a function of the run's seed and of the calls before.
  public static func random() -> UInt64 { host?.pointee.random(currentCall) ?? 0 }
}

/// Why a component cannot do what it was asked for.
public struct ComponentFailure: Error, CustomStringConvertible {
  /// What happened and what to do about it.
  public let reason: String
  /// The ABI's status, `PTUNE_FAILED` unless another fits better.
  public let status: ptune_status

  /// A failure with this reason.
  public init(_ reason: String, status: ptune_status = ptune_status(PTUNE_FAILED)) {
    self.reason = reason
    self.status = status
  }

  /// A combination that makes no sense, or that the component does not offer.
  public static func unsupported(_ reason: String) -> ComponentFailure {
    ComponentFailure(reason, status: ptune_status(PTUNE_UNSUPPORTED))
  }

  /// A hyperparameter or an input that the user can mend.
  public static func badArgument(_ reason: String) -> ComponentFailure {
    ComponentFailure(reason, status: ptune_status(PTUNE_BAD_ARGUMENT))
  }

  /// The reason.
  public var description: String { reason }
}
