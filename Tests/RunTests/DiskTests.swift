import Foundation
import Testing

/// A disk that is full, or cannot be written.
@Suite(.serialized, .timeLimit(.minutes(4)), .enabled(if: geteuid() == 0, "only root can mount a small disk"))
struct DiskTests {
  /// Mounts a disk of some kilobytes; false where the system forbids it (in a container without that right).
  private func mount(_ workshop: Workshop, _ name: String, options: String) throws -> Bool {
    try FileManager.default.createDirectory(at: workshop.url[name], withIntermediateDirectories: true)
    return try command("/bin/mount", ["-t", "tmpfs", "-o", options, "tmpfs", workshop.url[name].path], workshop) == 0
  }

  private func command(_ program: String, _ arguments: [String], _ workshop: Workshop) throws -> Int32 {
    guard FileManager.default.isExecutableFile(atPath: program) else { return 1 }
    return try Jay.Running(URL(fileURLWithPath: program), arguments, in: workshop.url).wait().status
  }

  private func unmount(_ workshop: Workshop, _ name: String) {
    _ = try? command("/bin/umount", [workshop.url[name].path], workshop)
  }

  @Test func `a run that does not fit is refused before it starts`() throws {
    let workshop = try Workshop()
    guard try mount(workshop, "disk", options: "size=400k") else { try Test.cancel("mounting is forbidden here") }
    defer { unmount(workshop, "disk") }
    let outcome = try workshop.run("recipe.yaml", "--out", "disk/run")
    #expect(outcome.status == 1)
    #expect(outcome.text.contains("the run needs about 1 MB of disk, "), "\(outcome.text)")
    #expect(outcome.text.contains("Free some, or choose another --out."))
  }

  @Test func `a disk that fills up loses nothing`() throws {
    let workshop = try Workshop()
    guard try mount(workshop, "disk", options: "size=4m") else { try Test.cancel("mounting is forbidden here") }
    defer { unmount(workshop, "disk") }
    try workshop.run("recipe.yaml", "--out", "whole")
    let process = try workshop.start("recipe.yaml", "--out", "disk/run")
    while process.isRunning, !workshop.exists("disk/run/checkpoints/0000-00000002") { usleep(200) }
    // Writes until the disk is full.
    let filler = workshop.url["disk/filler"]
    _ = FileManager.default.createFile(atPath: filler.path, contents: nil)
    let handle = try FileHandle(forWritingTo: filler)
    while (try? handle.write(contentsOf: Data(count: 4096))) != nil {}
    let outcome = try process.wait()
    #expect(outcome.status == 1)
    #expect(!workshop.names("disk/run/checkpoints").contains { $0.hasSuffix(".tmp") })
    #expect(
      outcome.text.contains(
        "No space left on device. Free some space and run the command again, an interrupted run with --resume: nothing "
          + "written so far is lost."),
      "\(outcome.text)")
    try handle.close()
    try FileManager.default.removeItem(at: filler)
    let resumed = try workshop.run("--resume", "--out", "disk/run")
    #expect(resumed.status == 0, "\(resumed.text)")
    #expect(try workshop.result("disk/run") == workshop.result("whole"))
  }

  @Test func `a folder that cannot be written is named`() throws {
    let workshop = try Workshop()
    guard try mount(workshop, "disk", options: "size=4m,ro") else { try Test.cancel("mounting is forbidden here") }
    defer { unmount(workshop, "disk") }
    let outcome = try workshop.run("recipe.yaml", "--out", "disk/run")
    #expect(outcome.status == 1)
    #expect(
      outcome.text.contains(
        "cannot create \(workshop.url["disk/run"].path): Read-only file system. Choose a folder you may write to."),
      "\(outcome.text)")
  }
}
