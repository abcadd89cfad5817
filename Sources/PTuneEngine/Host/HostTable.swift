import CPTune
import PTune
import PTuneLibc

/// The host as plugins see it.
public enum HostTable {
  // NB: set once, before any plugin is loaded; see `connect`.
  nonisolated(unsafe) private static var closures: UnsafePointer<ptune_closures_v1>?

  /// The table to hand to plugins, and to this program's own copy of the kit, which it connects.
  ///
  /// - Parameter closures: `ptune.closures/1`, which is made where libffi is known.
  public static func connect(closures: UnsafePointer<ptune_closures_v1>) -> UnsafePointer<ptune_host_v1> {
    self.closures = closures
    Host.connect(table)
    return table
  }

  nonisolated(unsafe) private static let table = staticPointer(
    ptune_host_v1(
      struct_size: MemoryLayout<ptune_host_v1>.size, abi_major: UInt32(PTUNE_ABI_MAJOR),
      abi_minor: UInt32(PTUNE_ABI_MINOR), version: UnsafePointer(strdup(Release.version)),
      interface_for: { id in
        guard let id else { return nil }
        return switch String(cString: id) {
        case PTUNE_OPS_V1: UnsafeRawPointer(OpsTable.table)
        case PTUNE_PARAMETERS_V1: UnsafeRawPointer(ParametersTable.table)
        case PTUNE_CLOSURES_V1: UnsafeRawPointer(closures)
        case PTUNE_CHECKPOINT_V1: UnsafeRawPointer(CheckpointTable.table)
        case PTUNE_BASE_V1: UnsafeRawPointer(BaseTable.table)
        case PTUNE_TASKS_V1: UnsafeRawPointer(TasksTable.table)
        case PTUNE_FORWARD_V1: UnsafeRawPointer(ForwardTable.table)
        case PTUNE_ATTENTION_V1: UnsafeRawPointer(AttentionTable.table)
        case PTUNE_INPUT_V1: UnsafeRawPointer(InputTable.table)
        case PTUNE_CHECKPOINT_V2: UnsafeRawPointer(SecondCheckpointTable.table)
        case PTUNE_PARAMETERS_V2: UnsafeRawPointer(SecondParametersTable.table)
        case PTUNE_BATCH_V1: UnsafeRawPointer(BatchTable.table)
        case PTUNE_INJECTIONS_V1: UnsafeRawPointer(InjectionsTable.table)
        case PTUNE_SITES_V1: UnsafeRawPointer(SitesTable.table)
        case PTUNE_EXPORT_V1: UnsafeRawPointer(ExportTable.table)
        case PTUNE_ARRANGEMENT_V1: UnsafeRawPointer(ArrangementTable.table)
        case PTUNE_DATA_V1: UnsafeRawPointer(DataTable.table)
        case PTUNE_SELECT_V1: UnsafeRawPointer(SelectTable.table)
        default: nil
        }
      },
      fail: { _, status, why in
        Session.current?.record(why.map { String(cString: $0) } ?? "no reason given", status: status)
      },
      log: { _, level, message in
        guard let message else { return }
        Session.current?.log(level, String(cString: message))
      },
      cancelled: { _ in Session.current?.isCancelled() ?? false },
      random: { _ in
        guard let session = Session.current else { return 0 }
        session.drawnNumbers += 1
        return session.generator.next()
      }))
}
