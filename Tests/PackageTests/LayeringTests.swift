import Foundation
import Testing

/// Imports point one way: the table of what each target may depend on.
@Suite struct LayeringTests {
  private let table: [String: Set<String>] = [
    "libtorch": [], "CZlib": [], "Evaluation": [],
    "Tokenizers": ["CZlib"],
    "CTorch": ["libtorch"],
    "Torch": ["CTorch"],
    "NN": ["Torch"],
    "Models": ["NN"],
    "Adapters": ["NN"],
    "Streams": ["Tokenizers", "CZlib"],
    "Continual": ["NN", "Adapters", "Streams", "Evaluation", "Crypto"],
    "Methods": ["Continual"],
    "Report": ["Evaluation"],
    "Hub": ["Crypto"],
    "Recipes": ["Methods", "Models", "Report", "Hub", "Yams"],
    "jay": ["Recipes", "Hub", "ArgumentParser"], "CLI": ["Recipes", "Hub", "ArgumentParser"],
    "benchmark": ["Methods", "Models"],
    "TestSupport": ["Methods", "Models"], "HostAccelerator": ["libtorch"],
  ]

  /// What a target may import: its dependencies and theirs, but the C targets only where they stand in its own row.
  private func reachable(from target: String) -> Set<String> {
    let direct = table[target] ?? []
    let hidden: Set = ["libtorch", "CTorch", "CZlib", "Crypto", "Yams", "ArgumentParser"]
    return direct.union(direct.flatMap { reachable(from: $0).subtracting(hidden) })
  }

  @Test func theManifestHasNoEdgeBesidesTheTable() throws {
    let edges = try Package.edges()
    #expect(edges.keys.contains("Continual"), "the manifest was read")
    for (target, dependencies) in edges {
      let allowed = try #require(table[target], "\(target) is missing from the table")
      #expect(dependencies.subtracting(allowed).sorted() == [], "\(target) must not depend on these")
    }
  }

  @Test func filesImportOnlyWhatTheTableReaches() throws {
    let system: Set = ["Foundation", "Synchronization", "Glibc", "Darwin"]
    let pattern = /^\s*(?:@\w+\s+)*(?:(?:public|package|internal|private)\s+)?import\s+(?:(?:struct|func)\s+)?(\w+)/
    for (path, text) in try Package.files("Sources") {
      let target = String(path.split(separator: "/")[1])
      // Offline opens no socket: that is checked in one target, because no other can.
      let allowed = reachable(from: target).union(system).union(target == "Hub" ? ["FoundationNetworking"] : [])
      for line in text.split(separator: "\n") {
        guard let match = line.prefixMatch(of: pattern) else { continue }
        #expect(allowed.contains(String(match.1)), "\(path) imports \(match.1)")
      }
    }
  }

  @Test func filesAreShort() throws {
    let files = try Package.files("Sources")
    #expect(files.count > 50, "the sources were found")
    let long = files.mapValues { $0.count { $0 == "\n" } }.filter { $0.value > 400 }
    #expect(long.isEmpty, "longer than 400 lines: \(long)")
  }

  @Test func theTrainerKnowsNoMethod() throws {
    let declaration = /class\s+(\w+)\s*:\s*ContinualMethod\b/
    let methods = try Package.files("Sources/Methods").values.flatMap { text in
      text.matches(of: declaration).map { String($0.1) }
    }
    #expect(methods.contains("MIGU"), "the methods were found")
    for (path, text) in try Package.files("Sources/Continual") {
      // Prose may name a method; code may not.
      let code = text.split(separator: "\n").filter { !$0.drop { $0 == " " }.hasPrefix("//") }.joined(separator: "\n")
      let words = Set(code.split { !$0.isLetter && !$0.isNumber && $0 != "_" }.map(String.init))
      #expect(words.intersection(methods) == [], "\(path) names a method")
    }
  }
}
