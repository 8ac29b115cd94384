import Glibc
import Synchronization

/// The variables a process was started with, and a record of what was read from them.
package struct Environment: Sendable {
    /// Describing: required variables that are missing read as a placeholder, so that `routes` needs no secrets.
    package let isDescribing: Bool
    let values: [String: String]
    let record = Record()

    package init(_ values: [String: String], describing: Bool = false) {
        self.values = values
        isDescribing = describing
    }

    /// What this process was started with.
    package static func ofProcess(describing: Bool = false) -> Environment {
        var values: [String: String] = [:]
        var entry = environ
        while let pointer = entry.pointee {
            let pair = String(cString: pointer)
            if let split = pair.firstIndex(of: "=") {
                values[String(pair[..<split])] = String(pair[pair.index(after: split)...])
            }
            entry += 1
        }
        return Environment(values, describing: describing)
    }

    /// Reads variables one by one and remembers every mistake until `finish`.
    package func reader() -> EnvironmentReader { EnvironmentReader(of: self) }

    /// Every variable that was asked for, in that order: what `check-config` prints.
    package var readings: [Reading] { record.all }

    /// One variable as it was read. A secret's `shown` is `***`.
    package struct Reading: Sendable, Equatable {
        package let name: String
        package let shown: String
        package let mistake: String?
    }

    final class Record: Sendable {
        private let readings = Mutex<[Reading]>([])

        var all: [Reading] { readings.withLock { $0 } }

        /// The last word about a name counts.
        func append(_ reading: Reading) {
            readings.withLock { readings in
                guard let index = readings.firstIndex(where: { $0.name == reading.name }) else {
                    readings.append(reading)
                    return
                }
                let shown = reading.shown.isEmpty ? readings[index].shown : reading.shown
                readings[index] = Reading(name: reading.name, shown: shown, mistake: reading.mistake)
            }
        }
    }
}

/// All mistakes of a configuration at once, so one restart is enough to see them.
package struct ConfigurationError: Error, Sendable, CustomStringConvertible {
    package let mistakes: [Environment.Reading]
    package var description: String { mistakes.map { "\($0.name): \($0.mistake ?? "")" }.joined(separator: "\n") }
}

/// A value that never prints itself.
package struct Secret: Sendable, CustomStringConvertible, CustomDebugStringConvertible {
    package let text: String
    private let file: String?
    package init(_ text: String, file: String? = nil) {
        self.text = text
        self.file = file
    }

    /// What its file holds at this moment; what it held at the start when the file is gone or empty.
    package var current: String {
        guard let file, let bytes = readFile(file, limit: 65_536) else { return text }
        let now = String(decoding: bytes, as: UTF8.self).withoutLineBreaks
        return now.isEmpty ? text : now
    }

    package var description: String { "***" }
    package var debugDescription: String { "***" }
}

extension String {
    /// Without the line breaks that editors and `echo` leave at a file's end.
    var withoutLineBreaks: String {
        var text = self
        while text.last == "\n" || text.last == "\r\n" { text.removeLast() }
        return text
    }
}
