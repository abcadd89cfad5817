import PTune

/// Whether a checkpoint is of the architecture that a base model computes. A run file may name any base model plugin for
/// any checkpoint, and kin share the names of their weights: what differs is asked for, so that nobody gets the numbers of
/// another model.
public enum Architecture {
  /// Refuses a checkpoint whose config.json names another architecture; one that names none is taken.
  ///
  /// - Parameter types: each `model_type` that means this architecture.
  /// - Throws: `ComponentFailure` naming the model type.
  public static func require(_ types: [String]) throws {
    let type = try Checkpoint.string("model_type", default: "")
    guard type.isEmpty || types.contains(type) else {
      throw ComponentFailure.unsupported(
        "config.json: model_type '\(type)' is another architecture; this plugin computes \(types.joined(separator: ", "))"
      )
    }
  }

  /// Refuses a checkpoint that has a weight of this name, which the base model would leave out.
  ///
  /// - Throws: `ComponentFailure` naming it.
  public static func refuse(weight name: String) throws {
    guard !Checkpoint.hasWeight(name) else {
      throw ComponentFailure.unsupported(
        "the checkpoint has the tensor '\(name)', which this base model, as config.json describes it, does not use"
      )
    }
  }
}
