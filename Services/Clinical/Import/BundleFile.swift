import CZlib
import Glibc

/// Reads a file of an import, compressed or not, within a limit.
struct BundleFile {
    enum Failure: Error, CustomStringConvertible {
        case unreadable, tooLarge, damaged

        var description: String {
            switch self {
            case .unreadable: "cannot be read"
            case .tooLarge: "is larger than \(BundleFile.limit >> 20) MB"
            case .damaged: "is not a whole gzip file"
            }
        }
    }

    /// A lifetime of one patient is about one megabyte; this is a file made to hurt.
    static let limit = 64 << 20

    static func read(_ path: String) throws -> [UInt8] {
        let bytes = try raw(path)
        // The first two bytes say it, whatever the file is called.
        return bytes.starts(with: [0x1f, 0x8b]) ? try inflated(bytes) : bytes
    }

    private static func raw(_ path: String) throws -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Failure.unreadable }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = chunk.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress, $0.count) }
            guard count >= 0 else { throw Failure.unreadable }
            if count == 0 { return bytes }
            guard bytes.count + count <= limit else { throw Failure.tooLarge }
            bytes.append(contentsOf: chunk[..<count])
        }
    }

    private static func inflated(_ bytes: [UInt8]) throws -> [UInt8] {
        var stream = z_stream()
        // 15 + 32: the largest window, with a gzip or zlib header.
        guard inflateInit2_(&stream, 47, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
            throw Failure.damaged
        }
        defer { inflateEnd(&stream) }
        var input = bytes
        var result: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        return try input.withUnsafeMutableBufferPointer { source in
            stream.next_in = source.baseAddress
            stream.avail_in = UInt32(source.count)
            while true {
                let status = chunk.withUnsafeMutableBufferPointer { room in
                    stream.next_out = room.baseAddress
                    stream.avail_out = UInt32(room.count)
                    return inflate(&stream, Z_NO_FLUSH)
                }
                guard status == Z_OK || status == Z_STREAM_END else { throw Failure.damaged }
                result.append(contentsOf: chunk[..<(chunk.count - Int(stream.avail_out))])
                guard result.count <= limit else { throw Failure.tooLarge }
                if status == Z_STREAM_END { return result }
                if stream.avail_in == 0 && stream.avail_out > 0 { throw Failure.damaged }
            }
        }
    }
}
