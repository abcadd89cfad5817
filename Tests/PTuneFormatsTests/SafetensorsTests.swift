import Testing

@testable import PTuneFormats

@Suite struct SafetensorsTests {
  @Test("a file of the reference implementation reads as PyTorch reads it")
  func reference() throws {
    let folder = try TemporaryFolder()
    let file = try SafetensorsFile(folder.write("a.safetensors", bytes(ReferenceFile.hexadecimal)))
    #expect(file.metadata == ["format": "pt"])
    #expect(file.names == ["brain", "double", "empty", "half", "ids", "mask", "scalar", "weight"])
    for (name, expected) in ReferenceFile.floats {
      #expect(try file.floats(name).array == expected)
    }
    #expect(file.tensor("weight")?.shape == [2, 3])
    #expect(file.tensor("scalar")?.shape == [])
    #expect(file.tensor("empty")?.shape == [0, 4])
    #expect(Array(try file.unsafeBytes("mask")) == [1, 0, 1])
    #expect(try file.unsafeBytes("ids").loadUnaligned(fromByteOffset: 16, as: Int64.self) == 1 << 40)
    #expect(try file.floats("weight").isMapped)
    #expect(try !file.floats("half").isMapped)
    withExtendedLifetime(file) {}
  }

  @Test("what is written has the bytes that the reference implementation writes")
  func writesReference() throws {
    let folder = try TemporaryFolder()
    let reference = bytes(ReferenceFile.hexadecimal)
    let file = try SafetensorsFile(folder.write("a.safetensors", reference))
    let tensors = try file.tensors.reversed().map { tensor in
      TensorData(
        name: tensor.name, type: tensor.type, shape: tensor.shape,
        bytes: Array(try file.unsafeBytes(tensor.name)))
    }
    try SafetensorsWriter.write(tensors, metadata: file.metadata, to: folder("b.safetensors"))
    withExtendedLifetime(file) {}
    #expect(try content(folder("b.safetensors")) == reference)
  }

  @Test("floats come back as they were, the file object may go before them")
  func roundTrip() throws {
    let folder = try TemporaryFolder()
    let values: [Float] = [1.5, -0.0, .leastNonzeroMagnitude, .infinity]
    try SafetensorsWriter.write(
      [TensorData(name: "prompt_embeddings", shape: [2, 2], floats: values)], to: folder("a.safetensors"))
    let floats = try SafetensorsFile(folder("a.safetensors")).floats("prompt_embeddings")
    #expect(floats.array.map(\.bitPattern) == values.map(\.bitPattern))
    #expect(floats.shape == [2, 2])
  }

  @Test("unaligned floats are copied")
  func unaligned() throws {
    let folder = try TemporaryFolder()
    let header = #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#
    let file = try SafetensorsFile(
      folder.write("a.safetensors", safetensors(header + " ") + [0, 0, 0x80, 0x3F]))
    #expect(try file.floats("a").array == [1])
    #expect(try file.floats("a").isMapped == false)
  }

  @Test("every half-precision number widens exactly")
  func halves() {
    let wrong = (UInt16.min...UInt16.max).filter { bits in
      let exponent = Int(bits >> 10 & 31)
      let fraction = Double(bits & 1023) / 1024
      let magnitude: Double =
        switch exponent {
        case 0: fraction * 0x1p-14
        case 31: fraction == 0 ? .infinity : .nan
        default:
          (1 + fraction) * (exponent < 15 ? 1 / Double(1 << (15 - exponent)) : Double(1 << (exponent - 15)))
        }
      let value = Double(FloatConversion.fromHalf(bits))
      let expected = bits & 0x8000 == 0 ? magnitude : -magnitude
      return value != expected && !(value.isNaN && expected.isNaN)
    }
    #expect(wrong == [])
  }

  @Test("a file cut off at any byte is refused and named")
  func truncated() throws {
    let folder = try TemporaryFolder()
    let whole = bytes(ReferenceFile.hexadecimal)
    let path = folder("a.safetensors")
    let wrong = (0..<whole.count).filter { length in
      do {
        _ = try SafetensorsFile(folder.write("a.safetensors", Array(whole[..<length])))
      } catch let error as SafetensorsError {
        return error.file != path || error.help != "the file is truncated; fetch or copy it again"
      } catch {}
      return true
    }
    #expect(wrong == [])
  }

  @Test(
    "damage is refused with what is wrong",
    arguments: [
      ([], "the header needs 8 bytes, but the file has 0"),
      (
        [UInt8](repeating: 0xFF, count: 16),
        "the header claims to have 18446744073709551615 bytes; the format allows 100000000"
      ),
      (
        [0, 0, 0, 0x80, 0, 0, 0, 0], "the header claims to have 2147483648 bytes; the format allows 100000000"
      ),
      ([9, 0, 0, 0, 0, 0, 0, 0, 0x7B], "the header needs 17 bytes, but the file has 9"),
      (safetensors(""), "the header does not begin with '{'"),
      (safetensors(" {}"), "the header does not begin with '{'"),
      (safetensors("[]"), "the header does not begin with '{'"),
      (safetensors("{\"a\""), "the header is not JSON: expected ':' but the text ends"),
      (
        safetensors("{\"\u{1}\":1}"), "the header is not JSON: a string contains the control character U+0001"
      ),
      (
        safetensors("{" + String(repeating: "\"a\":{", count: 50)),
        "the header is not JSON: arrays and objects are nested more than 8 deep"
      ),
      (safetensors("{}", data: 3), "3 bytes at the end belong to no tensor"),
      (safetensors(#"{"a":1}"#), "'a' in the header: expected an object but found an integer"),
      (safetensors(#"{"a":{}}"#), "'a' in the header: expected 'dtype' to be a string"),
      (
        safetensors(#"{"__metadata__":{"a":1}}"#),
        "'__metadata__' in the header: expected 'a' to be a string but found an integer"
      ),
      (tensor("F33", "[1]", "[0,4]"), "tensor 'a' has the unknown type 'F33'"),
      (tensor("F32", "[-1]", "[0,4]"), "'a' in the header: expected 'shape' to be a list of integers from 0"),
      (
        tensor("F32", "[1.5]", "[0,4]"), "'a' in the header: expected 'shape' to be a list of integers from 0"
      ),
      (tensor("F32", "[1]", "[4]"), "'a' in the header: expected 'data_offsets' to be [begin, end]"),
      (tensor("F32", "[1]", "[4,0]"), "'a' in the header: expected 'data_offsets' to be [begin, end]"),
      (
        tensor("F32", "[1]", "[0,99999999999999999999]"),
        "'a' in the header: expected 'data_offsets' to be a list of integers from 0"
      ),
      (tensor("F32", "[2]", "[0,4]"), "tensor 'a' has 4 bytes, but its shape and type need 8"),
      (
        tensor("F32", "[4611686018427387904,4]", "[0,4]"),
        "tensor 'a' has the impossible shape [4611686018427387904, 4]"
      ),
      (
        tensor("U8", "[9223372036854775807]", "[0,9223372036854775807]"),
        "'a' in the header: expected 'data_offsets' to be within the file"
      ),
      (tensor("F32", "[2]", "[0,8]"), "tensor 'a' ends at byte 8 of the data, which has 4"),
      (tensor("U8", "[3]", "[1,4]"), "tensor 'a' begins at byte 1 of the data instead of 0"),
      (
        safetensors(
          """
          {"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]},\
          "b":{"dtype":"U8","shape":[2],"data_offsets":[2,4]}}
          """, data: 4),
        "tensor 'b' begins at byte 2 of the data instead of 3"
      ),
      (
        safetensors(
          """
          {"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},\
          "a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}
          """, data: 2),
        "the header is not JSON: the key 'a' occurs twice in the same object"
      ),
    ] as [([UInt8], String)])
  func damaged(bytes: [UInt8], expected: String) throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("a.safetensors", bytes)
    let error = #expect(throws: SafetensorsError.self) { try SafetensorsFile(path) }
    #expect(error?.description == "\(path): \(expected)")
    #expect(error?.help != nil)
  }

  @Test("asking for what is not there, or not as floats, is an error")
  func missing() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("a.safetensors", bytes(ReferenceFile.hexadecimal))
    let file = try SafetensorsFile(path)
    #expect(
      message { _ = try file.floats("wieght") } == """
        \(path): there is no tensor 'wieght'
        help: see what the file contains: ptune inspect '\(path)'
        """)
    #expect(
      message { _ = try file.floats("ids") } == """
        \(path): tensor 'ids' has the type I64, not floats
        help: 8-bit and packed types are those of quantised checkpoints, which are not read; take the model's own weights
        """)
  }

  @Test("what cannot be written is refused before anything is touched")
  func unwritable() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("a.safetensors", "old")
    let one = TensorData(name: "a", shape: [1], floats: [1])
    #expect(
      message { try SafetensorsWriter.write([one, one], to: path) }
        == "\(path): two tensors have the name 'a'")
    #expect(
      message {
        try SafetensorsWriter.write([TensorData(name: "a", shape: [3], floats: [1])], to: path)
      }.hasPrefix("\(path): tensor 'a' has 4 bytes, but its shape and type need 12"))
    #expect(try content(path) == Array("old".utf8))
  }
}

private func tensor(_ type: String, _ shape: String, _ offsets: String) -> [UInt8] {
  safetensors(#"{"a":{"dtype":"\#(type)","shape":\#(shape),"data_offsets":\#(offsets)}}"#, data: 4)
}
