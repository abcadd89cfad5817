/// The messages of TensorBoard's event.proto, summary.proto and the hparams plugin's plugin_data.proto, as far as a
/// training has them, and how a file holds them.
enum EventRecord {
  /// The first record of a file.
  static func fileVersion(time: Double) -> [UInt8] {
    var event = ProtobufMessage()
    event.add(1, time)
    event.add(3, "brain.Event:2")
    return event.bytes
  }

  /// Says that the training goes on here: what came at this step or later before is void.
  static func restart(step: Int, time: Double) -> [UInt8] {
    var log = ProtobufMessage()
    log.add(1, 1)  // SessionLog.START
    var event = ProtobufMessage()
    event.add(1, time)
    event.add(2, step)
    event.add(7, log)
    return event.bytes
  }

  /// Some numbers of a step.
  static func scalars(_ values: [(tag: String, value: Double)], step: Int, time: Double) -> [UInt8] {
    var summary = ProtobufMessage()
    for (tag, value) in values {
      var scalar = ProtobufMessage()
      scalar.add(1, tag)
      scalar.add(2, Float(value))
      summary.add(1, scalar)
    }
    return summaryEvent(summary, step: step, time: time)
  }

  /// The hyperparameters of the run.
  static func hyperparameters(_ values: [(name: String, value: EventFile.Setting)], time: Double) -> [UInt8] {
    var info = ProtobufMessage()
    for (name, value) in values {
      var setting = ProtobufMessage()
      switch value {
      case .number(let number): setting.add(2, number)
      case .text(let text): setting.add(3, text)
      case .flag(let flag): setting.add(4, flag ? 1 : 0)
      }
      var entry = ProtobufMessage()
      entry.add(1, name)
      entry.add(2, setting)
      info.add(1, entry)
    }
    info.add(5, time)
    return plugin("_hparams_/session_start_info", field: 3, info, time: time)
  }

  /// Says that the run came to its end.
  static func end(time: Double) -> [UInt8] {
    var info = ProtobufMessage()
    info.add(1, 1)  // STATUS_SUCCESS
    info.add(2, time)
    return plugin("_hparams_/session_end_info", field: 4, info, time: time)
  }

  private static func plugin(
    _ tag: String, field: Int, _ message: ProtobufMessage, time: Double
  ) -> [UInt8] {
    var content = ProtobufMessage()
    content.add(field, message)
    var data = ProtobufMessage()
    data.add(1, "hparams")
    data.add(2, content)
    var metadata = ProtobufMessage()
    metadata.add(1, data)
    var value = ProtobufMessage()
    value.add(1, tag)
    value.add(9, metadata)
    var summary = ProtobufMessage()
    summary.add(1, value)
    return summaryEvent(summary, step: 0, time: time)
  }

  private static func summaryEvent(_ summary: ProtobufMessage, step: Int, time: Double) -> [UInt8] {
    var event = ProtobufMessage()
    event.add(1, time)
    // A field that has its default is not written.
    if step != 0 { event.add(2, step) }
    event.add(5, summary)
    return event.bytes
  }

  /// A message as a TFRecord file frames it: length, checksum of the length, the message, its checksum.
  static func framed(_ message: [UInt8]) -> [UInt8] {
    let length = littleEndianBytes(UInt64(message.count))
    return length + littleEndianBytes(CRC32C.masked(length)) + message
      + littleEndianBytes(CRC32C.masked(message))
  }
}
