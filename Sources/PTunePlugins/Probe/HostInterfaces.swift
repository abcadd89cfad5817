import CPTune

/// The interfaces that a host of this version has, by id.
public enum HostInterfaces {
  /// Their ids, as `ptune_component_v1.needs` lists them.
  public static let ids: [String] = sizes.map(\.id)

  /// The size in bytes of each interface's table. Every table is its size and then only functions.
  static let sizes: [(id: String, size: Int)] = [
    (PTUNE_OPS_V1, MemoryLayout<ptune_ops_v1>.size),
    (PTUNE_PARAMETERS_V1, MemoryLayout<ptune_parameters_v1>.size),
    (PTUNE_CLOSURES_V1, MemoryLayout<ptune_closures_v1>.size),
    (PTUNE_CHECKPOINT_V1, MemoryLayout<ptune_checkpoint_v1>.size),
    (PTUNE_BASE_V1, MemoryLayout<ptune_base_v1>.size),
    (PTUNE_TASKS_V1, MemoryLayout<ptune_tasks_v1>.size),
    (PTUNE_FORWARD_V1, MemoryLayout<ptune_forward_v1>.size),
    (PTUNE_BATCH_V1, MemoryLayout<ptune_batch_v1>.size),
    (PTUNE_INJECTIONS_V1, MemoryLayout<ptune_injections_v1>.size),
    (PTUNE_SITES_V1, MemoryLayout<ptune_sites_v1>.size),
    (PTUNE_EXPORT_V1, MemoryLayout<ptune_export_v1>.size),
    (PTUNE_ARRANGEMENT_V1, MemoryLayout<ptune_arrangement_v1>.size),
    (PTUNE_DATA_V1, MemoryLayout<ptune_data_v1>.size),
    (PTUNE_SELECT_V1, MemoryLayout<ptune_select_v1>.size),
    (PTUNE_ATTENTION_V1, MemoryLayout<ptune_attention_v1>.size),
    (PTUNE_INPUT_V1, MemoryLayout<ptune_input_v1>.size),
    (PTUNE_CHECKPOINT_V2, MemoryLayout<ptune_checkpoint_v2>.size),
    (PTUNE_PARAMETERS_V2, MemoryLayout<ptune_parameters_v2>.size),
  ]
}
