/// The tables of this module: they run first in every service's schema.
package enum MessagingSchema {
    package static let migrations: [(name: String, sql: [UInt8])] = [
        ("0001_messaging", PackageResources._001_messaging_sql),
        ("0010_revoked_sessions", PackageResources._010_revoked_sessions_sql),
        ("0040_keys", PackageResources._040_keys_sql),
        ("0065_outbox_kept", PackageResources._065_outbox_kept_sql),
        ("0070_answers", PackageResources._070_answers_sql),
        ("0080_isolation", PackageResources._080_isolation_sql),
        ("0090_facts_sent", PackageResources._090_facts_sent_sql),
        ("0091_facts_sent_by_schema", PackageResources._091_facts_sent_by_schema_sql),
        ("0094_key_unused", PackageResources._094_key_unused_sql),
        ("0095_sent_without_join", PackageResources._095_sent_without_join_sql),
    ]
}
