import Glibc
import Primitives

/// The checkpoints of one tenant, a line each, where they were taken: a folder of another system, or one that is
/// shipped there.
enum CheckpointFile {
    struct Failure: Error { let code: Int32 }

    private static let longestLine = 4096

    static func path(of tenant: TenantID, in folder: String) -> String { "\(folder)/\(tenant).jsonl" }

    /// One whole line, on the disk before this returns.
    static func append(_ line: [UInt8], of tenant: TenantID, in folder: String) throws {
        let descriptor = open(path(of: tenant, in: folder), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o640)
        guard descriptor >= 0 else { throw Failure(code: errno) }
        defer { close(descriptor) }
        let whole = line + [0x0a]
        guard write(descriptor, whole, whole.count) == whole.count, fsync(descriptor) == 0 else {
            throw Failure(code: errno)
        }
    }

    /// The newest line that is a checkpoint; nil when there is no file, or nothing in its end reads as one.
    static func last(of tenant: TenantID, in folder: String) -> AuditCheckpoint? {
        guard let file = fopen(path(of: tenant, in: folder), "r") else { return nil }
        defer { fclose(file) }
        guard fseek(file, 0, SEEK_END) == 0 else { return nil }
        let size = ftell(file)
        guard size > 0, fseek(file, max(0, size - longestLine), SEEK_SET) == 0 else { return nil }
        var bytes = [UInt8](repeating: 0, count: min(size, longestLine))
        let count = fread(&bytes, 1, bytes.count, file)
        return bytes.prefix(count).split(separator: 0x0a).reversed().lazy.compactMap { AuditCheckpoint(line: Array($0)) }
            .first { $0.tenant == tenant }
    }

    /// Every line with its number, from the first; false when the file cannot be read.
    static func lines(of path: String, _ body: (Int, [UInt8]) -> Void) -> Bool {
        guard let file = fopen(path, "r") else { return false }
        defer { fclose(file) }
        var buffer = [CChar](repeating: 0, count: longestLine)
        var number = 0
        while fgets(&buffer, Int32(buffer.count), file) != nil {
            number += 1
            let line = buffer.prefix { $0 != 0 && $0 != 0x0a }.map { UInt8(bitPattern: $0) }
            if !line.isEmpty { body(number, line) }
        }
        return true
    }
}
