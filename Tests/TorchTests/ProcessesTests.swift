import Testing

@testable import Torch

@Suite struct ProcessesTests {
  typealias Place = Processes.Place

  @Test func `the environment says where a process stands`() throws {
    #expect(try Place(environment: [:]) == nil)
    #expect(try Place(environment: ["RANK": "0", "WORLD_SIZE": "1"]) == nil)
    let alone = try Place(environment: ["RANK": "1", "WORLD_SIZE": "2", "MASTER_ADDR": "localhost", "MASTER_PORT": "7"])
    #expect(alone == Place(rank: 1, count: 2, port: 7))
    let several = try Place(
      environment: [
        "RANK": "3", "WORLD_SIZE": "4", "LOCAL_RANK": "1", "LOCAL_WORLD_SIZE": "2", "MASTER_ADDR": "box",
        "MASTER_PORT": "80", "TORCHELASTIC_USE_AGENT_STORE": "True", "GLOO_SOCKET_IFNAME": "eth0",
      ])
    #expect(
      several == Place(rank: 3, count: 4, countHere: 2, host: "box", port: 80, isServed: true, interface: "eth0"))
    #expect(several?.rankHere == 1)
    #expect(try several.flatMap { try Place(environment: $0.environment) }?.rank == 3)
    #expect(Place(rank: 5, count: 8, countHere: 4, port: 1).rankHere == 1)
  }

  @Test(arguments: [
    (["RANK": "2", "WORLD_SIZE": "2", "MASTER_PORT": "1"], "RANK is '2'"),
    (["RANK": "0", "WORLD_SIZE": "two", "MASTER_PORT": "1"], "WORLD_SIZE is 'two'"),
    (["RANK": "0", "WORLD_SIZE": "2"], "MASTER_PORT is missing"),
    (["RANK": "0", "WORLD_SIZE": "2", "MASTER_PORT": "1", "LOCAL_WORLD_SIZE": "3"], "LOCAL_WORLD_SIZE is '3'"),
    (["RANK": "0", "WORLD_SIZE": "2", "MASTER_PORT": "1", "LOCAL_RANK": "2"], "LOCAL_RANK is '2'"),
  ])
  func `an environment that makes no sense is refused`(_ environment: [String: String], _ says: String) throws {
    let error = try #require(throws: ProcessesError.self) { try Place(environment: environment) }
    #expect("\(error)".contains(says) && "\(error)".contains("--processes N or with torchrun"), "\(error)")
  }

  @Test func `every failure says what to do`() {
    #expect("\(ProcessesError.unsupported)".contains("apt install libgloo-dev"))
    let lost = "\(ProcessesError.lost(rank: 0, count: 2, reason: "gone"))"
    #expect(lost.contains("process 0 of 2 lost another one: gone") && lost.contains("--resume"))
    #expect("\(ProcessesError.differs(what: "data", rank: 1))".contains("process 1 has another data than process 0"))
  }

  @Test(.enabled(if: Processes.isSupported)) func `who does not come is said`() throws {
    let place = Place(rank: 1, count: 2, port: 9)
    let error = try #require(throws: ProcessesError.self) { try Processes(place, meetingSeconds: 1) }
    #expect("\(error)".contains("the 2 processes did not meet at 127.0.0.1:9: "), "\(error)")
  }

  @Test func `a leaf tells of each gradient until it is told not to`() {
    let x = Tensor([1, 2] as [Float], shape: [2]), y = Tensor([3] as [Float], shape: [1])
    for leaf in [x, y] { leaf.setRequiresGradient(true) }
    var told: [[Float]] = []
    x.onGradient { told.append(x.gradient?.values() ?? []) }
    (x * 2).sum().backward()
    (x.sum() + y.sum()).backward()
    #expect(told == [[2, 2], [3, 3]])
    x.onGradient(nil)
    x.sum().backward()
    #expect(told.count == 2)
  }
}
