import Cryptography
import Primitives

/// The chain of one tenant's entries, followed link by link from its beginning.
///
/// The hash of an entry is SHA-256(hash of the one before || everything the entry says, its place included). The
/// database computes it when an entry is written; this follows it without believing anything but the bytes.
struct AuditChain: Sendable {
    /// One entry as it is stored now.
    struct Link: Equatable, Sendable {
        var seq: Int64
        var id: EventID
        var canonical: String
        var hash: [UInt8]
    }

    /// The first thing that is wrong.
    enum Break: Error, Equatable, CustomStringConvertible {
        /// The entry at this place says something else than when it was written, or is another's.
        case changed(seq: Int64, id: EventID)
        case missing(from: Int64, to: Int64)
        /// It stands where another belongs: one that was there before, or comes twice.
        case misplaced(seq: Int64, id: EventID)
        /// The chain is whole in itself but is not the one that was signed.
        case rewritten(upTo: Int64)
        /// A checkpoint that none of our keys made.
        case unsigned(size: Int64)

        var description: String {
            switch self {
            case .changed(let seq, let id): "entry \(seq) (\(id)) was changed or swapped"
            case .missing(let from, let to): from == to ? "entry \(from) is missing" : "entries \(from) to \(to) are missing"
            case .misplaced(let seq, let id): "entry \(seq) (\(id)) is out of place"
            case .rewritten(let size): "the first \(size) entries are not those that were signed"
            case .unsigned(let size): "the checkpoint of \(size) entries is signed by none of the known keys"
            }
        }
    }

    private(set) var size: Int64 = 0
    private(set) var head: [UInt8] = SHA256.digest([])
    /// What was signed and taken elsewhere, by size.
    private let signed: [Int64: [UInt8]]

    init(signed: [Int64: [UInt8]] = [:]) { self.signed = signed }

    mutating func follow(_ link: Link) throws(Break) {
        let place = size + 1
        if link.seq > place { throw .missing(from: place, to: link.seq - 1) }
        if link.seq < place { throw .misplaced(seq: link.seq, id: link.id) }
        let hash = SHA256.digest(head + Array(link.canonical.utf8))
        guard hash == link.hash else { throw .changed(seq: link.seq, id: link.id) }
        size = place
        head = hash
        if let expected = signed[size], expected != head { throw .rewritten(upTo: size) }
    }

    /// At the end of what is stored: everything that was signed must have been there.
    func finish() throws(Break) {
        if let most = signed.keys.max(), most > size { throw .missing(from: size + 1, to: most) }
    }
}
