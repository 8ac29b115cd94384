import Access
import Bootstrap
import JSON
import Loop
import Primitives

/// What the people in the trail are called: asked of auth while somebody reads, and kept nowhere.
@LoopActor struct StaffNames {
    let host: Host

    /// Empty when auth cannot be asked: the trail is read all the same, by ids and roles.
    func names(of actors: [AccountID?], as caller: Principal) async -> [AccountID: String] {
        let ids = Set(actors.compactMap { $0 }).sorted()
        guard !ids.isEmpty, caller.may(.readAudit) else { return [:] }
        let path = "/internal/names/accounts?ids=" + ids.map(\.description).joined(separator: ",")
        guard let answer = try? await host.cards.ask("auth", path, as: caller) else { return [:] }
        var names: [AccountID: String] = [:]
        for id in ids { names[id] = try? answer.optional(id.description) }
        return names
    }
}
