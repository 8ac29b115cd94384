import Glibc
import Primitives

/// Whose rows the statements of a transaction see. Row-level security reads it as `app.tenant`.
struct Scope: Equatable {
    let tenant: TenantID?

    /// Local to the transaction. Without a tenant the setting is empty, and the policies' cast to uuid fails:
    /// unset means an error, never everything.
    var statement: SQL { "select set_config('app.tenant', \(tenant?.description ?? ""), true)" }
}

extension String {
    /// Whether it contains U+0000.
    var hasNUL: Bool {
        utf8.withContiguousStorageIfAvailable { bytes in
            bytes.baseAddress.map { memchr($0, 0, bytes.count) != nil } ?? false
        } ?? utf8.contains(0)
    }
}

extension SQL {
    /// Refuses what the server could not be told whole.
    func validate() throws(PostgresError) {
        guard parameters.count <= 65_535 else {
            throw PostgresError(.server, sqlState: "54000", message: "more than 65535 parameters")
        }
        for parameter in parameters {
            if case .text(let text) = parameter, text.hasNUL {
                throw PostgresError(.server, sqlState: "22021", message: "a parameter contains U+0000")
            }
        }
    }
}
