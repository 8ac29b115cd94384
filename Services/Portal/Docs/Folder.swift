import Glibc
import Loop

/// A folder of files, each read when somebody first asks for it and served from memory from then on: what nobody reads
/// costs nothing. Only names that the folder had at the start are answered, so no path from a client can leave it.
@LoopActor final class Folder {
    private enum File {
        case unread
        case read([UInt8]?)
    }

    private let path: String
    private var files: [String: File]

    nonisolated init(_ path: String) {
        var files: [String: File] = [:]
        if let folder = opendir(path) {
            defer { closedir(folder) }
            while let entry = readdir(folder) {
                let name = withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
                files[name] = .unread
            }
        }
        self.path = path
        self.files = files
    }

    /// Nil for what is no file of the folder.
    subscript(_ name: String) -> [UInt8]? {
        switch files[name] {
        case .none: return nil
        case .read(let bytes): return bytes
        case .unread:
            let bytes = Self.read(path + "/" + name)
            files[name] = .read(bytes)
            return bytes
        }
    }

    /// Whether there is such a name, without reading anything.
    func has(_ name: String) -> Bool { files[name] != nil }

    /// A regular file of at most 16 MB, or nil.
    private nonisolated static func read(_ path: String) -> [UInt8]? {
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
