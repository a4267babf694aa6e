public import Foundation
import Models
import Streams
import Torch

/// What running needs, and whether it is here.
public struct Doctor: Encodable, Sendable {
  public enum State: String, Encodable, Sendable { case ok, absent, broken }

  public struct Check: Encodable, Sendable {
    public let what: String
    public let state: State
    public let found: String
    /// What to do; nil where all is well.
    public let mend: String?
  }
  public let checks: [Check]
  /// Whether runs are possible: what is merely absent is not needed.
  public var isHealthy: Bool { checks.allSatisfy { $0.state != .broken } }

  public init(places: Places, recipes: URL) {
    checks = [
      Self.engine, Self.devices, Self.processes, Self.memory, Self.disk(places), Self.models(places),
      Self.development(places), Self.registered(places), Self.recipes(Catalog(places: places, recipes: recipes)),
    ]
  }

  private static var engine: Check {
    let product = Tensor([1, 2, 3, 4], shape: [2, 2], device: .cpu).matmul(
      Tensor([1, 0, 0, 1], shape: [2, 2], device: .cpu))
    let isRight = product.values() == [1, 2, 3, 4]
    return Check(
      what: "engine", state: isRight ? .ok : .broken,
      found: "libtorch \(Runtime.torchVersion), \(Runtime.threads) threads, \(Environment.processor)",
      mend: isRight ? nil : "a matrix product is wrong. Remove .torch and set up again: Tools/setup")
  }

  private static var devices: Check {
    let found = [Device.cpu, .cuda(0), .mps].filter(\.isAvailable).map { device in
      let name = device == .cuda(0) ? "cuda" : device.description
      return Recording.isSupported(on: device) ? "\(name) (records updates)" : name
    }
    return Check(what: "devices", state: .ok, found: found.joined(separator: ", "), mend: nil)
  }

  private static var processes: Check {
    Check(
      what: "processes", state: Processes.isSupported ? .ok : .absent,
      found: Processes.isSupported
        ? "several can train together" + (Processes.usesNCCL ? ", GPUs over NCCL" : "") : "one",
      mend: Processes.isSupported ? nil : "for several, install Gloo's headers (Debian: libgloo-dev) and build again.")
  }

  private static var memory: Check {
    let (free, total) = (Memory.available, Memory.total)
    let isEnough = free == 0 || free >= 1_000_000_000
    return Check(
      what: "memory", state: isEnough ? .ok : .broken, found: "\(Plan.size(free)) free of \(Plan.size(total))",
      mend: isEnough ? nil : "a run of a small encoder needs 1 GB. Close other programs.")
  }

  private static func disk(_ places: Places) -> Check {
    // The folder may not exist yet; its nearest parent is on the same disk.
    var folder = places.runs.absoluteURL
    while !FileManager.default.fileExists(atPath: folder.path), folder.path != "/" { folder.deleteLastPathComponent() }
    let free = (try? folder.resourceValues(forKeys: [.volumeAvailableCapacityKey]).volumeAvailableCapacity) ?? 0
    guard FileManager.default.isWritableFile(atPath: folder.path) else {
      return Check(
        what: "disk", state: .broken, found: "\(folder.path) cannot be written",
        mend: "work in another folder, or write runs elsewhere: --out DIR")
    }
    let isEnough = free == 0 || free >= 1_000_000_000
    return Check(
      what: "disk", state: isEnough ? .ok : .broken, found: "\(Plan.size(free)) free at \(folder.path)",
      mend: isEnough ? nil : "a run of a small encoder needs up to 1 GB. Free some, or write runs elsewhere: --out DIR")
  }

  private static func models(_ places: Places) -> Check {
    let names = ((try? FileManager.default.contentsOfDirectory(atPath: places.models.path)) ?? []).sorted()
    let models = names.filter {
      !$0.hasPrefix(".") && (try? ModelDirectory(places.models.appendingPathComponent($0))) != nil
    }
    return Check(
      what: "models", state: models.isEmpty ? .broken : .ok,
      found: models.isEmpty
        ? "none in \(places.models.path)" : "\(models.joined(separator: ", ")) in \(places.models.path)",
      mend: models.isEmpty
        ? "'Tools/setup' fetches minilm; or set JAY_MODELS to a folder of model directories, or give a path in model.name"
        : nil)
  }

  private static func development(_ places: Places) -> Check {
    let isThere = FileManager.default.fileExists(atPath: places.data.appendingPathComponent("cl15/tasks.json").path)
    return Check(
      what: "cl15", state: isThere ? .ok : .absent,
      found: isThere ? places.data.appendingPathComponent("cl15").path : "not in \(places.data.path)",
      mend: isThere
        ? nil : "only for recipes on that stream: set JAY_DATA, or stream.folder. Meadow is part of the package.")
  }

  private static func registered(_ places: Places) -> Check {
    do {
      let entries = try DataRegistry(home: places.home).list()
      let lost = entries.filter { !FileManager.default.fileExists(atPath: $0.path) }.map(\.name)
      return Check(
        what: "data", state: lost.isEmpty ? .ok : .absent,
        found: entries.isEmpty ? "meadow" : "meadow, " + entries.map(\.name).joined(separator: ", "),
        mend: lost.isEmpty
          ? nil
          : "the folders of \(lost.joined(separator: ", ")) are gone. Bring them back, or: jay data remove \(lost[0])")
    } catch {
      return Check(what: "data", state: .broken, found: "the list cannot be read", mend: "\(error)")
    }
  }

  private static func recipes(_ catalog: Catalog) -> Check {
    let files = catalog.recipeFiles
    return Check(
      what: "recipes", state: files.isEmpty ? .absent : .ok,
      found: files.isEmpty ? "none in \(catalog.recipes.path)" : "\(files.count) in \(catalog.recipes.path)",
      mend: files.isEmpty
        ? "start jay by its launcher ./jay, or set JAY_RECIPES; any recipe file can be named by its path" : nil)
  }

  /// One line a check, with what to do below it.
  public var text: String {
    let mends = checks.map { $0.mend.map { "\n         \($0)" } ?? "" }
    let lines = checks.map {
      "\($0.state.rawValue.padding(toLength: 7, withPad: " ", startingAt: 0))  \($0.what): \($0.found)"
    }
    return zip(lines, mends).map(+).joined(separator: "\n")
      + "\n\n" + (isHealthy ? "Ready: jay demo" : "Something that runs need is missing.")
  }
}
