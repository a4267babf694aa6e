import Foundation
import Torch

/// What a file system has left.
enum Disk {
  /// Bytes that this user may still write at `url`; nil where the system does not say.
  static func available(at url: URL) -> Int? {
    var facts = statvfs()
    guard statvfs(url.path, &facts) == 0, facts.f_blocks > 0 else { return nil }
    return Int(facts.f_bavail) * Int(facts.f_frsize)
  }

  /// Bytes of all files in a folder and below.
  static func size(of folder: URL) -> Int {
    let paths = FileManager.default.enumerator(atPath: folder.path)?.compactMap { $0 as? String } ?? []
    return paths.reduce(0) { sum, path in
      var facts = stat()
      let isFile = stat(folder.appendingPathComponent(path).path, &facts) == 0 && facts.st_mode & S_IFMT == S_IFREG
      return isFile ? sum + Int(facts.st_size) : sum
    }
  }
}

/// What this process and this machine have, in bytes; 0 where the system does not say.
enum Memory {
  /// What this process holds of a device's own memory; otherwise its pages in memory.
  static func held(on device: Device) -> Int { device.memory?.held ?? status("VmRSS:") }
  /// The most that it held.
  static func peak(on device: Device) -> Int { device.memory?.peak ?? status("VmHWM:") }
  /// What more it could have.
  static func available(on device: Device) -> Int { device.memory?.free ?? available }
  static var available: Int { value("MemAvailable:", in: "/proc/meminfo") }
  static var total: Int { Int(ProcessInfo.processInfo.physicalMemory) }

  private static func status(_ key: String) -> Int { value(key, in: "/proc/self/status") }

  private static func value(_ key: String, in path: String) -> Int {
    guard let data = FileManager.default.contents(atPath: path) else { return 0 }
    for line in String(decoding: data, as: UTF8.self).split(separator: "\n") where line.hasPrefix(key) {
      return (line.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0) * 1024
    }
    return 0
  }
}
