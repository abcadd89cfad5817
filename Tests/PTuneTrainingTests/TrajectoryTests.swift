import PTuneEngine
import PTuneFormats
import PTunePlugins
import TestSupport
import Testing

@testable import PTuneRunFile
@testable import PTuneTraining

@Suite("Trajectories") struct TrajectoryTests {
  @Test(
    "twenty steps of AdamW with warm-up and clipping, and of Adafactor, follow PyTorch's and transformers'",
    arguments: ["demo-trajectory", "adafactor-trajectory"])
  func twentySteps(_ name: String) throws {
    let fixture = try #require(Workbench.cases(name).first)
    let (json, file) = (fixture.json, try fixture.tensors())
    let composition = try Workbench.compose(
      checkpoint: try json.text("checkpoint"), adapter: try StepFixture.adapter(json),
      head: try StepFixture.head(json))
    let parameters = composition.model.parameters
    let names = ["adapter.prompt", "head.classifier.weight", "head.classifier.bias"]
    try #require(parameters.count == names.count)
    for (parameter, name) in zip(parameters, names) {
      let values = try file.floats("initial.\(name)").array
      for (index, value) in values.enumerated() { parameter.values[index] = value }
    }

    let settings = try #require(json["optimiser"])
    let kind = try #require(OptimizerKind(rawValue: try settings.text("name")))
    var options = TrainingOptions(optimizer: kind)
    #expect(options.schedule.rawValue == (try settings.text("schedule")))
    #expect(options.learningRate == nil || options.learningRate == settings["learning_rate"]?.doubleValue)
    options.weightDecay = try #require(settings["weight_decay"]?.doubleValue)
    options.warmupSteps = try #require(settings["warmup_steps"]?.intValue)
    let steps = try json.list("steps")
    let curve = LearningRateCurve(
      peak: try #require(settings["learning_rate"]?.doubleValue), options: options, totalSteps: steps.count)
    let clip = try #require(settings["clip"]?.doubleValue)
    let optimizer = kind.make(parameters, options)
    let batches = try json.list("batches")
    for (step, expected) in steps.enumerated() {
      let batch = try StepFixture.batch(batches[try #require(expected["batch"]?.intValue)])
      let loss = try composition.model.differentiate(batch)
      #expect(relativeDifference([loss], [Float(try #require(expected["loss"]?.doubleValue))]) < 1e-4)
      let norm = optimizer.gradientNorm()
      if clip > 0, norm > clip { optimizer.scaleGradients(clip / (norm + 1e-6)) }
      optimizer.update(learningRate: curve.rate(at: step))
    }
    for (parameter, name) in zip(parameters, names) {
      let values = UnsafeBufferPointer(start: parameter.values, count: parameter.count)
      #expect(relativeDifference(values, try file.floats("final.\(name)").array) < 1e-3, "\(name)")
    }
  }
}
