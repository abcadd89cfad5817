/// What an ELF file says of the machine that it is built for (System V ABI, chapter 4: EI_CLASS, EI_DATA, e_machine).
struct ELFMachine: Equatable, CustomStringConvertible {
  let bits: Int
  let isBigEndian: Bool
  let number: UInt16

  /// Numbers of e_machine.
  private static let names: [UInt16: String] = [
    3: "x86", 8: "MIPS", 20: "PowerPC", 21: "PowerPC", 22: "s390", 40: "Arm", 62: "x86-64", 183: "AArch64",
    243: "RISC-V", 258: "LoongArch",
  ]

  /// "AArch64", "RISC-V, 32 bits", "machine 9".
  var description: String {
    let name = Self.names[number] ?? "machine \(number)"
    let order = isBigEndian ? ", big-endian" : ""
    return [62, 183].contains(number) && bits == 64 ? name + order : "\(name), \(bits) bits\(order)"
  }

  /// That of this process; nil where it is not known.
  static var own: ELFMachine? {
    #if arch(x86_64)
      ELFMachine(bits: 64, isBigEndian: false, number: 62)
    #elseif arch(arm64)
      ELFMachine(bits: 64, isBigEndian: false, number: 183)
    #elseif arch(riscv64)
      ELFMachine(bits: 64, isBigEndian: false, number: 243)
    #else
      nil
    #endif
  }
}
