import Glibc

/// Small files that hold secrets, readable by their owner only: whole or not there at all.
enum KeyFile {
    /// The bytes of a small file; nil when it cannot be read.
    static func read(_ path: String) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while bytes.count < 65_536 {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            guard count > 0 else { return count == 0 ? bytes : nil }
            bytes += buffer.prefix(count)
        }
        return nil
    }

    /// Whether it was made now; false when there is one already. It appears whole or not at all: a crash between
    /// leaves a temporary file, never half a key.
    static func make(_ path: String, mode: mode_t, _ bytes: [UInt8]) throws -> Bool {
        try write(path, mode: mode, bytes) { temporary in
            // Unlike rename, link refuses to replace what another process made meanwhile.
            if link(temporary, path) == 0 { return true }
            guard errno == EEXIST else { throw KeyFileError(path: path, code: errno) }
            return false
        }
    }

    /// The same for a file that may be there already: readers see the old one or the new one, never half of it.
    static func replace(_ path: String, mode: mode_t, _ bytes: [UInt8]) throws {
        _ = try write(path, mode: mode, bytes) { temporary in
            guard rename(temporary, path) == 0 else { throw KeyFileError(path: path, code: errno) }
            return true
        }
    }

    private static func write(
        _ path: String, mode: mode_t, _ bytes: [UInt8], _ place: (_ temporary: String) throws -> Bool
    ) throws -> Bool {
        let temporary = "\(path).\(getpid()).new"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw KeyFileError(path: path, code: errno) }
        defer { unlink(temporary) }
        let written = Glibc.write(descriptor, bytes, bytes.count)
        let code = errno
        let isSafe = fchmod(descriptor, mode) == 0 && fsync(descriptor) == 0
        close(descriptor)
        guard written == bytes.count, isSafe else { throw KeyFileError(path: path, code: code) }
        return try place(temporary)
    }

    static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }
}

struct KeyFileError: Error, CustomStringConvertible {
    let path: String
    let code: Int32
    var description: String { "\(path): \(String(cString: strerror(code)))" }
}
