/// Which statements one connection has prepared, by their text; the least recently used give way.
///
/// A name is never used twice on a connection, so a statement that could not be deallocated yet harms nobody.
struct StatementCache {
    private struct Entry {
        let name: String
        var lastUse: Int
    }

    private let limit: Int
    private var entries: [String: Entry] = [:]
    private var uses = 0
    private var names = 0
    /// Names to deallocate with the next flight.
    private(set) var retired: [String] = []

    init(limit: Int = 500) { self.limit = limit }

    /// The name of a prepared statement.
    mutating func name(of text: String) -> String? {
        guard let index = entries.index(forKey: text) else { return nil }
        uses += 1
        entries.values[index].lastUse = uses
        return entries.values[index].name
    }

    /// A fresh name for a text that is about to be prepared.
    mutating func add(_ text: String) -> String {
        if entries.count >= limit, let oldest = entries.min(by: { $0.value.lastUse < $1.value.lastUse }) {
            retire(oldest.key)
        }
        uses += 1
        names += 1
        let name = "s\(names)"
        entries[text] = Entry(name: name, lastUse: uses)
        return name
    }

    /// The preparation failed or was skipped: nothing of that name exists. A newer one of the same text stays.
    mutating func forget(_ text: String, name: String) {
        if entries[text]?.name == name { entries[text] = nil }
    }

    /// The statement exists but is of no more use.
    mutating func retire(_ text: String) {
        if let entry = entries.removeValue(forKey: text) { retired.append(entry.name) }
    }

    mutating func retire(name: String) { retired.append(name) }

    mutating func takeRetired() -> [String] {
        defer { retired.removeAll() }
        return retired
    }
}
