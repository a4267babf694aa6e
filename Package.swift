// swift-tools-version: 6.1
import PackageDescription

// Strictness is the same everywhere: a C symbol cannot leak through a public signature.
let strict: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
]

func library(_ name: String, _ dependencies: [Target.Dependency] = [], resources: [Resource]? = nil) -> Target {
  .target(name: name, dependencies: dependencies, resources: resources, swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
  .testTarget(name: name + "Tests", dependencies: dependencies, exclude: exclude, swiftSettings: strict)
}

let package = Package(
  name: "Jay",
  platforms: [.macOS(.v14)],
  products: [
    .executable(name: "jay", targets: ["jay"]),
    .library(
      name: "Jay",
      targets: [
        "Recipes", "Methods", "Continual", "Models", "Adapters", "NN", "Torch", "Streams", "Tokenizers", "Evaluation",
        "Report", "Hub",
      ]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
    // A command of the package manager; nothing links it.
    .package(url: "https://github.com/swiftlang/swift-docc-plugin", from: "1.5.0"),
  ],
  targets: [
    // `libtorch.pc` is written by `Tools/setup`; where PKG_CONFIG_PATH does not name it, the header
    // search path below and the links that set-up lays beside the binaries do the same work.
    .systemLibrary(name: "libtorch", pkgConfig: "libtorch"),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"]), .brew(["zlib"])]),
    .target(
      name: "CTorch", dependencies: ["libtorch"],
      cxxSettings: [
        .headerSearchPath("../../.torch/torch/include"),
        .headerSearchPath("../../.torch/torch/include/torch/csrc/api/include"),
      ],
      linkerSettings: [.linkedLibrary("torch_cpu"), .linkedLibrary("c10")]),
    library("Torch", ["CTorch"]),
    library("NN", ["Torch"]),
    library("Tokenizers", ["CZlib"]),
    library("Models", ["NN"]),
    library("Streams", ["Tokenizers", "CZlib"], resources: [.copy("Resources/Meadow")]),
    library("Evaluation"),
    library("Report", ["Evaluation"]),
    library("Adapters", ["NN"]),
    // The only target that opens a socket.
    library("Hub", [.product(name: "Crypto", package: "swift-crypto")]),
    library(
      "Continual", ["NN", "Adapters", "Streams", "Evaluation", .product(name: "Crypto", package: "swift-crypto")]),
    library("Methods", ["Continual"]),
    library("Recipes", ["Methods", "Models", "Report", "Hub", .product(name: "Yams", package: "Yams")]),
    .executableTarget(
      name: "jay",
      dependencies: ["Recipes", "Hub", .product(name: "ArgumentParser", package: "swift-argument-parser")],
      path: "Sources/CLI", swiftSettings: strict),
    .executableTarget(
      name: "benchmark", dependencies: ["Methods", "Models"], path: "Benchmarks/Jay", swiftSettings: strict),
    library("TestSupport", ["Methods", "Models"]),
    // A device of libtorch's that any machine has.
    .target(
      name: "HostAccelerator", dependencies: ["libtorch"], path: "Tests/HostAccelerator",
      cxxSettings: [
        .headerSearchPath("../../.torch/torch/include"),
        .headerSearchPath("../../.torch/torch/include/torch/csrc/api/include"),
      ],
      linkerSettings: [.linkedLibrary("torch_cpu"), .linkedLibrary("c10")]),
    tests("Torch", ["Torch"]),
    tests("NN", ["NN", "TestSupport"]),
    tests("Adapters", ["Adapters", "TestSupport"]),
    tests("Continual", ["Continual", "TestSupport"]),
    tests("Methods", ["Methods", "TestSupport", "HostAccelerator"]),
    tests("Models", ["Models", "TestSupport"]),
    tests("Tokenizers", ["Tokenizers", "Streams"], exclude: ["Goldens"]),
    tests("Streams", ["Streams"]),
    tests("Evaluation", ["Evaluation"]),
    tests("Report", ["Report"]),
    tests("Hub", ["Hub"]),
    tests("Recipes", ["Recipes", "Hub", "TestSupport"]),
    // The executable, so that it is built: its tests drive it as a user does.
    tests("Run", ["Recipes", "TestSupport", "jay"]),
    tests("Package", []),
  ],
  cxxLanguageStandard: .cxx20
)
