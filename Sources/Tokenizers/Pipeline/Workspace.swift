import Foundation

/// What a thread needs while it encodes: room to compute, and pieces it remembers.
struct Workspace {
  var cache = PieceCache()
  var tokens: [Token] = []
  var symbols: [BPE.Symbol] = []
  var queue = BPE.Queue()
  var lattice: [Unigram.Node] = []
}

/// Workspaces that wait for a thread.
///
/// A text takes one and gives it back, so that there are as many as threads encode at a time, and what one text
/// taught is known to the next.
final class WorkspacePool: Sendable {
  private let lock = NSLock()
  /// Touched only under `lock`.
  nonisolated(unsafe) private var idle: [Workspace] = []

  func withWorkspace<T>(_ body: (inout Workspace) -> T) -> T {
    var workspace = lock.withLock { idle.popLast() } ?? Workspace()
    let result = body(&workspace)
    lock.withLock { idle.append(workspace) }
    return result
  }
}
