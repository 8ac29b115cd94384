import Access
import Bootstrap
import Loop
import Postgres
import Primitives

/// Finds patients by what a person at the desk types: a name (misspelt or begun), a phone number, an MRN.
///
/// Postgres narrows a million records to at most `candidates` by keyed hashes; those are opened and ranked here.
@LoopActor struct PatientSearch {
    let sql: any SQLSession
    let ring: KeyRing
    let scope: PatientScope

    static let candidates = 200

    struct Found {
        let sealed: SealedPatient
        let personal: Personal
    }

    /// Only those who are found are read by somebody; the other candidates nobody sees.
    func find(_ typed: String, limit: Int) async throws -> [Found] {
        let found = try await candidates(typed, limit)
        for each in found { scope.trail?.unseal(each.sealed.id) }
        return found
    }

    private func candidates(_ typed: String, _ limit: Int) async throws -> [Found] {
        let keys = SearchKeys(ring: ring)
        let letters = typed.unicodeScalars.filter { $0.properties.isAlphabetic }.count
        let digits = typed.unicodeScalars.filter { ("0"..."9").contains($0) }.count
        if digits > 0 && (letters == 0 || typed.lowercased().hasPrefix("mrn")) {
            return try await findByNumber(typed, keys, limit)
        }
        return try await findByName(typed, keys, limit)
    }

    private func findByNumber(_ typed: String, _ keys: SearchKeys, _ limit: Int) async throws -> [Found] {
        var rows: [SealedPatient] = []
        if let mrn = MedicalRecordNumber(typed: typed), let row = try await PatientStore(sql: sql, scope: scope).find(mrn: mrn) {
            rows.append(row)
        }
        let phone = keys.asked(phone: typed)
        if !phone.isEmpty {
            let found = try await PatientKeyStore(sql: sql, scope: scope).candidates(any: phone, limit: limit)
            rows += found.filter { row in !rows.contains { $0.id == row.id } }
        }
        return try rows.prefix(limit).map(open)
    }

    private func findByName(_ typed: String, _ keys: SearchKeys, _ limit: Int) async throws -> [Found] {
        let words = NameTokens.of(typed)
        // Initials narrow nothing; they only rank.
        let telling = words.filter { $0.unicodeScalars.count >= 3 }
        let store = PatientKeyStore(sql: sql, scope: scope)
        guard telling.count > 1 else {
            guard let word = telling.first ?? words.first else { return [] }
            let asked = keys.close(to: word) + keys.distant(word)
            return try ranked(await store.candidates(any: asked, limit: Self.candidates), words, limit)
        }

        // The last word may not be finished yet.
        let close = telling.enumerated().map {
            keys.close(to: $1) + ($0 == telling.count - 1 ? keys.begun($1) : [])
        }
        var rows = try await store.candidates(all: close, limit: Self.candidates)
        var found = try ranked(rows, words, limit)
        guard found.isEmpty else { return found }
        // Nobody: one word after the other may be spelt by its sound, or only begun.
        for index in telling.indices {
            var wider = close
            wider[index] += keys.distant(telling[index])
            rows += try await store.candidates(all: wider, limit: Self.candidates)
        }
        found = try ranked(rows, words, limit)
        return found
    }

    private func ranked(_ rows: [SealedPatient], _ words: [String], _ limit: Int) throws -> [Found] {
        let question = words.map { NameMatch.Word($0) }
        var ranked: [(cost: Int, found: Found)] = []
        var seen = Set<PatientID>()
        for row in rows where seen.insert(row.id).inserted {
            let found = try open(row)
            guard let cost = NameMatch.cost(of: question, in: NameTokens.of(found.personal.name)) else { continue }
            ranked.append((row.active ? cost : cost + 5, found))
        }
        // Equal names: the newest record first, so that the order never depends on the plan.
        ranked.sort { $0.cost != $1.cost ? $0.cost < $1.cost : $0.found.sealed.id > $1.found.sealed.id }
        return ranked.prefix(limit).map(\.found)
    }

    private func open(_ row: SealedPatient) throws -> Found {
        let vault = try PatientVault(
            of: row.id, tenant: scope.tenant, wrappedKey: row.dataKey, ring: ring.wrapping, leaving: nil)
        let personal = try vault.open(row.personal, "patient", "personal", row: row.id.description)
        return Found(sealed: row, personal: try Personal(stored: personal))
    }
}
