extension TrainingOption {
  /// The value as a run file has it, or nil if it is not set.
  ///
  /// What belongs to another optimiser is not set.
  func text(in options: TrainingOptions) -> String? {
    if let optimizer, optimizer != options.optimizer { return nil }
    return switch kind {
    case .integer(let path, _): "\(options[keyPath: path])"
    case .optionalInteger(let path, _): options[keyPath: path].map { "\($0)" }
    case .number(let path, _): RunText.number(options[keyPath: path])
    case .optionalNumber(let path, _): options[keyPath: path].map(RunText.number)
    case .interval(let path): options[keyPath: path].description
    case .flag(let path): "\(options[keyPath: path])"
    case .choice(let choice): choice.text(in: options)
    case .optimizer: options.optimizer.rawValue
    }
  }

  /// Takes the value from the `training` section, if it is there.
  func read(_ section: RunSection, into options: inout TrainingOptions) throws(RunFileError) {
    if let optimizer, optimizer != options.optimizer {
      guard let node = section.node(name) else { return }
      throw RunFileError(
        place: node.place,
        problem: .conflict(
          "'\(name)' is of the optimizer \(optimizer.rawValue), and the run's is \(options.optimizer.rawValue)"
        ))
    }
    switch kind {
    case .integer(let path, let limits):
      if let value = try section.integer(name, limits) { options[keyPath: path] = value }
    case .optionalInteger(let path, let limits): options[keyPath: path] = try section.integer(name, limits)
    case .number(let path, let limits):
      if let value = try section.number(name, limits) { options[keyPath: path] = value }
    case .optionalNumber(let path, let limits):
      if let value = try section.number(name, limits) { options[keyPath: path] = value }
    case .interval(let path):
      if let value = try section.interval(name) { options[keyPath: path] = value }
    case .flag(let path):
      if let value = try section.boolean(name) { options[keyPath: path] = value }
    case .choice(let choice): try choice.read(name, section, into: &options)
    case .optimizer: break  // It was read before all others, since their defaults depend on it.
    }
  }
}
