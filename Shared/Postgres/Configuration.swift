extension Database {
    package struct Configuration: Sendable {
        package var host: String  // a path is a unix socket's folder
        package var port: Int
        package var database: String
        package var user: String
        package var password: String
        /// Asks for the password at every new connection, so that one that was changed needs no restart.
        package var passwordNow: (@Sendable () -> String)?
        /// The file of the authority whose certificates are believed. Set, a connection is encrypted and the server
        /// proves that it is `host`, or there is none.
        package var authorityFile: String?
        /// The service's schema: the search path of every connection.
        package var schema: String
        package var readConnections: Int
        package var writeConnections: Int
        /// How long a statement may take, as its caller sees it.
        package var statementDeadline: Duration = .seconds(5)

        package init(
            host: String, port: Int, database: String, user: String, password: String, schema: String,
            readConnections: Int = 2, writeConnections: Int = 8
        ) {
            self.host = host
            self.port = port
            self.database = database
            self.user = user
            self.password = password
            self.schema = schema
            self.readConnections = readConnections
            self.writeConnections = writeConnections
        }
    }
}

extension Database.Configuration {
    /// What libpq is told. `address` is the numeric form of `host`, or nil for a unix socket.
    func settings(for purpose: Connection.Purpose, address: String?) -> [(name: String, value: String)] {
        var settings = [
            ("host", host), ("port", String(port)), ("dbname", database), ("user", user),
            ("application_name", "polyclinic_\(schema)"), ("client_encoding", "UTF8"),
            // Asking for Kerberos costs a round trip and we never use it.
            ("gssencmode", "disable"),
            // A peer that vanished without a word is noticed within half a minute, mid-answer within ten seconds.
            ("keepalives_idle", "15"), ("keepalives_interval", "5"), ("keepalives_count", "3"),
            ("tcp_user_timeout", "10000"), ("options", options(for: purpose)),
        ]
        if let address { settings.append(("hostaddr", address)) }
        let password = passwordNow?() ?? password
        if !password.isEmpty { settings.append(("password", password)) }
        if let authorityFile, !host.hasPrefix("/") {
            settings += [
                ("sslmode", "verify-full"), ("sslrootcert", authorityFile), ("ssl_min_protocol_version", "TLSv1.2"),
            ]
        }
        return settings.map { (name: $0.0, value: $0.1) }
    }

    private func options(for purpose: Connection.Purpose) -> String {
        // The server gives up a little before our own deadline, so that a slow statement costs no connection.
        let statement = purpose == .migrating ? 600_000 : statementDeadline.milliseconds * 9 / 10
        var options = [
            "search_path=\(Identifier(schema)), public", "statement_timeout=\(statement)",
            "lock_timeout=\(min(2000, statement))",
            "idle_in_transaction_session_timeout=\(purpose == .migrating ? 60_000 : 10_000)",
            "timezone=UTC", "datestyle=ISO", "bytea_output=hex", "client_min_messages=error", "jit=off",
        ]
        if purpose == .reading { options.append("default_transaction_read_only=on") }
        return options.map { "-c " + Self.escaped($0) }.joined(separator: " ")
    }

    /// The server splits `options` at blanks that no backslash precedes.
    private static func escaped(_ option: String) -> String {
        var text = ""
        for character in option {
            if character == " " || character == "\\" { text += "\\" }
            text.append(character)
        }
        return text
    }
}

/// A name of ours, quoted for SQL.
struct Identifier: CustomStringConvertible {
    let description: String

    init(_ name: String) {
        var text = "\""
        for character in name {
            if character == "\"" { text += "\"" }
            text.append(character)
        }
        description = text + "\""
    }
}
