/// Numbers that a component keeps during a training, beside what is trained.
public final class ComponentState {
  /// Which component of the run asked for it: "adapter", "selector" or "head.NAME".
  public let owner: String
  /// Its name, unique in the component.
  public let name: String
  /// Its values at an address that stays.
  public var values: UnsafeMutableBufferPointer<Float> {
    UnsafeMutableBufferPointer(start: memory.pointer, count: count)
  }
  private let memory: HandedArray<Float>
  private let count: Int

  init(owner: String, name: String, count: Int) {
    self.owner = owner
    self.name = name
    self.count = count
    memory = HandedArray(repeatElement(0, count: count), "state '\(name)'", mayChange: true)
  }
}

extension Session {
  /// The state of this name of a component; made, all zero, if there is none.
  ///
  /// - Returns: nil if there is one of another count.
  func state(owner: String, name: String, count: Int) -> ComponentState? {
    if let known = states.first(where: { $0.owner == owner && $0.name == name }) {
      return known.values.count == count ? known : nil
    }
    let state = ComponentState(owner: owner, name: name, count: count)
    states.append(state)
    return state
  }

  /// Sets a state to what a checkpoint holds.
  ///
  /// - Returns: false if the component has one of another count.
  public func restoreState(owner: String, name: String, values: [Float]) -> Bool {
    guard let state = state(owner: owner, name: name, count: values.count) else { return false }
    _ = state.values.update(fromContentsOf: values)
    return true
  }
}
