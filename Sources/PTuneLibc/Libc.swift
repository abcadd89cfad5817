// The C library, by whatever name the platform has it: everything else imports this module.
//
// `@_exported` hands its names on, which `public import` does not.
#if canImport(Glibc)
  @_exported import Glibc
#elseif canImport(Musl)
  @_exported import Musl
#elseif canImport(Darwin)
  @_exported import Darwin
#elseif canImport(Android)
  @_exported import Android
#elseif canImport(Bionic)
  @_exported import Bionic
#endif
