import CPTune

/// `ptune.input/1`
enum InputTable {
  nonisolated(unsafe) static let table = staticPointer(
    ptune_input_v1(
      struct_size: MemoryLayout<ptune_input_v1>.size,
      scale_words: { _, scale in
        guard let session = Session.current, let frame = session.frame else {
          return ptune_status(PTUNE_FAILED)
        }
        guard frame.method == "create", frame.checkpoint != nil else {
          session.record("scale_words can be called in a base model's create only")
          return ptune_status(PTUNE_BAD_ARGUMENT)
        }
        guard scale.isFinite, scale != 0 else {
          session.record("scale_words: a scale of \(scale)")
          return ptune_status(PTUNE_BAD_ARGUMENT)
        }
        session.services.wordScale = scale
        return ptune_status(PTUNE_OK)
      }))
}
