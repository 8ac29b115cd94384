import Glibc

/// A folder of files that are read once and served from memory. Only names of plain files in it are answered,
/// so no path from a client can leave it.
final class Folder: Sendable {
    private let files: [String: [UInt8]]

    init(_ path: String) {
        var files: [String: [UInt8]] = [:]
        if let folder = opendir(path) {
            defer { closedir(folder) }
            while let entry = readdir(folder) {
                let name = withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
                if let bytes = Self.read(path + "/" + name) { files[name] = bytes }
            }
        }
        self.files = files
    }

    subscript(_ name: String) -> [UInt8]? { files[name] }

    /// A regular file of at most 16 MB, or nil.
    private static func read(_ path: String) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var facts = stat()
        guard fstat(descriptor, &facts) == 0, facts.st_mode & S_IFMT == S_IFREG, facts.st_size <= 16 << 20 else { return nil }
        var bytes = [UInt8](repeating: 0, count: Int(facts.st_size))
        var filled = 0
        while filled < bytes.count {
            let count = bytes.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress.map { $0 + filled }, $0.count - filled) }
            guard count > 0 else { return nil }
            filled += count
        }
        return bytes
    }
}
