import CPTune

/// `ptune.parameters/1`
enum ParametersTable {
  nonisolated(unsafe) static let table = staticPointer(
    ptune_parameters_v1(
      struct_size: MemoryLayout<ptune_parameters_v1>.size,
      declare: { _, name, shape, rank, initial in
        guard let recorder = Recorder("declare"), let name, let initial else { return nil }
        // Another rank is refused with the shape: what a wild one counts is not there to be read.
        let count = (1...4).contains(rank) ? rank : 0
        guard let dimensions = recorder.array(shape, count, "dimensions") else { return nil }
        return recorder.session.declare(String(cString: name), dimensions, initial.pointee)
      },
      value: { _, pointer in
        guard let session = Session.current, let parameter = session.parameter(pointer) else { return nil }
        return session.handle(for: session.leaf(parameter))
      },
      state: { _, name, count in
        guard let recorder = Recorder("state"), let name, let owner = recorder.session.frame?.identity.owner
        else { return nil }
        let text = String(cString: name)
        guard (1..<1 << 28).contains(count) else {
          recorder.session.record("the state '\(text)' of \(UInt(bitPattern: count)) numbers")
          return nil
        }
        guard let state = recorder.session.state(owner: owner, name: text, count: count) else {
          recorder.session.record("the state '\(text)' has another number of values than \(count)")
          return nil
        }
        return state.values.baseAddress
      }))
}

/// `ptune.parameters/2`
enum SecondParametersTable {
  nonisolated(unsafe) static let table = staticPointer(
    ptune_parameters_v2(
      struct_size: MemoryLayout<ptune_parameters_v2>.size,
      learning_rate: { _, pointer, factor in
        change(pointer) { parameter in
          guard factor > 0, factor.isFinite else {
            return "the learning rate of '\(parameter.name)' is to be multiplied by \(factor)"
          }
          parameter.rateFactor = factor
          return nil
        }
      },
      weight_decay: { _, pointer, decay in
        change(pointer) { parameter in
          guard (0...1).contains(decay) else {
            return "'\(parameter.name)' has a weight decay of \(decay); it has to be from 0 to 1"
          }
          parameter.weightDecay = decay
          return nil
        }
      }))

  /// Changes a parameter of the component in the call; `apply` says what is wrong, or nil.
  private static func change(
    _ pointer: OpaquePointer?, _ apply: (TrainableParameter) -> String?
  ) -> ptune_status {
    guard let session = Session.current, let parameter = session.parameter(pointer) else {
      return ptune_status(PTUNE_FAILED)
    }
    let wrong: String? =
      if session.frame?.method != "create" || session.frame?.identity.owner != parameter.owner {
        "how '\(parameter.name)' is trained can be said by its component in create only"
      } else {
        apply(parameter)
      }
    guard let wrong else { return ptune_status(PTUNE_OK) }
    session.record(wrong)
    return ptune_status(PTUNE_BAD_ARGUMENT)
  }
}

extension Session {
  /// Declares a parameter of the component in the call, with its initial values.
  fileprivate func declare(_ name: String, _ shape: [Int], _ initial: ptune_initial_v1) -> OpaquePointer? {
    guard let owner = frame?.identity.owner, frame?.method == "create" else {
      record("parameter '\(name)' was declared outside create")
      return nil
    }
    guard (1...4).contains(shape.count), shape.allSatisfy({ $0 > 0 && $0 < 1 << 28 }),
      shape.reduce(1.0, { $0 * Double($1) }) < Double(1 << 31)
    else {
      record("parameter '\(name)' has the shape \(shape); it needs 1 to 4 dimensions of sensible size")
      return nil
    }
    guard !parameters.contains(where: { $0.owner == owner && $0.name == name }) else {
      record("parameter '\(name)' was declared twice")
      return nil
    }
    let count = parameters.reduce(shape.reduce(1, *)) { $0 + $1.count }
    if let most = mostValues, count > most {
      record(
        "parameter '\(name)' of the shape \(shape) makes \(count) values, and the adapter's files are too small for more "
          + "than \(most)")
      return nil
    }
    let parameter = TrainableParameter(owner: owner, name: name, shape: shape)
    switch Int(initial.kind) {
    case PTUNE_INITIAL_CONSTANT: parameter.values.update(repeating: initial.a, count: parameter.count)
    case PTUNE_INITIAL_NORMAL:
      for index in 0..<parameter.count {
        parameter.values[index] = initial.a + initial.b * Float(generator.normal())
      }
    case PTUNE_INITIAL_UNIFORM:
      for index in 0..<parameter.count {
        parameter.values[index] = initial.a + (initial.b - initial.a) * Float(generator.unit())
      }
    case PTUNE_INITIAL_VALUES:
      guard let values = initial.values else {
        record("parameter '\(name)' starts with values at NULL")
        return nil
      }
      parameter.values.update(from: values, count: parameter.count)
    default:
      record("parameter '\(name)' starts as \(initial.kind), which this ptune does not know")
      return nil
    }
    return add(parameter)
  }
}
