import ArgumentParser
import Foundation
import Hub
import Recipes

/// For commands that may fetch a model or a data set of the Hub.
struct HubOptions: ParsableArguments {
  @Flag(help: "Open no socket: use only what is on this machine (as HF_HUB_OFFLINE=1 does).")
  var offline = false

  var places: Places { Here.places(offline: offline) }
}

extension Here {
  /// The Hub as HF_HOME, HF_HUB_CACHE, HF_ENDPOINT, HF_TOKEN and HF_HUB_OFFLINE describe it.
  static func hub(offline: Bool) -> HubClient {
    var settings = HubSettings(environment: environment, home: userFolder)
    settings.isOffline = settings.isOffline || offline
    var client = HubClient(settings)
    let line = DownloadLine()
    client.progress = { line.update($0) }
    client.say = { line.say($0) }
    client.isCancelled = { Interrupt.isRequested }
    return client
  }
}
