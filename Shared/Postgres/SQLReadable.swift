import Primitives

/// What can be read from a column, in Postgres' text format.
package protocol SQLReadable {
    init?(sql bytes: UnsafeRawBufferPointer)
}

extension String: SQLReadable {
    package init?(sql bytes: UnsafeRawBufferPointer) { self = String(decoding: bytes, as: UTF8.self) }
}
extension Bool: SQLReadable {
    package init?(sql bytes: UnsafeRawBufferPointer) {
        guard bytes.count == 1 else { return nil }
        self = bytes[0] == 0x74
    }
}
extension Int64: SQLReadable {
    package init?(sql bytes: UnsafeRawBufferPointer) { self.init(String(decoding: bytes, as: UTF8.self)) }
}
extension Int: SQLReadable {
    package init?(sql bytes: UnsafeRawBufferPointer) { self.init(String(decoding: bytes, as: UTF8.self)) }
}
extension Double: SQLReadable {
    package init?(sql bytes: UnsafeRawBufferPointer) { self.init(String(decoding: bytes, as: UTF8.self)) }
}
extension ID: SQLReadable {
    package init?(sql bytes: UnsafeRawBufferPointer) {
        guard let id = Self.parse(bytes) else { return nil }
        self = id
    }
}
extension Timestamp: SQLReadable {
    package init?(sql bytes: UnsafeRawBufferPointer) {
        guard let time = Self.parse(bytes) else { return nil }
        self = time
    }
}
extension LocalDate: SQLReadable {
    package init?(sql bytes: UnsafeRawBufferPointer) {
        guard let date = Self.parse(bytes) else { return nil }
        self = date
    }
}
extension Currency: SQLReadable {
    package init?(sql bytes: UnsafeRawBufferPointer) { self.init(String(decoding: bytes, as: UTF8.self)) }
}
/// An enum of plain words reads itself by declaring `SQLReadable`.
extension SQLReadable where Self: RawRepresentable, RawValue == String {
    package init?(sql bytes: UnsafeRawBufferPointer) { self.init(rawValue: String(decoding: bytes, as: UTF8.self)) }
}
extension Bytes: SQLReadable {
    package init?(sql bytes: UnsafeRawBufferPointer) {
        guard bytes.count >= 2, bytes.count % 2 == 0, bytes[0] == 0x5c, bytes[1] == 0x78 else { return nil }
        func digit(_ byte: UInt8) -> UInt8? {
            switch byte {
            case 0x30...0x39: byte - 0x30
            case 0x61...0x66: byte - 0x57
            default: nil
            }
        }
        var result = [UInt8]()
        result.reserveCapacity(bytes.count / 2 - 1)
        for index in stride(from: 2, to: bytes.count, by: 2) {
            guard let high = digit(bytes[index]), let low = digit(bytes[index + 1]) else { return nil }
            result.append(high << 4 | low)
        }
        self.init(result)
    }
}
extension LocalTime: SQLReadable {
    /// `time` prints its seconds too; ours never has any.
    package init?(sql bytes: UnsafeRawBufferPointer) {
        guard bytes.count >= 5 else { return nil }
        self.init(String(decoding: bytes[0..<5], as: UTF8.self))
    }
}
/// A one-dimensional array, `{a,"b c"}`. A null element is not readable: use `array_remove` or a row each.
extension Array: SQLReadable where Element: SQLReadable {
    package init?(sql bytes: UnsafeRawBufferPointer) {
        guard let texts = SQLArray.elements(of: bytes) else { return nil }
        self.init()
        reserveCapacity(texts.count)
        for text in texts {
            guard let element = text.withUnsafeBytes({ Element(sql: $0) }) else { return nil }
            append(element)
        }
    }
}
extension SQLArray {
    /// The elements' bytes without quotes and escapes; nil for a null element, more dimensions or no array at all.
    static func elements(of bytes: UnsafeRawBufferPointer) -> [[UInt8]]? {
        guard bytes.count >= 2, bytes[0] == UInt8(ascii: "{"), bytes[bytes.count - 1] == UInt8(ascii: "}") else {
            return nil
        }
        if bytes.count == 2 { return [] }
        var elements: [[UInt8]] = []
        var element: [UInt8] = []
        var isQuoted = false
        var wasQuoted = false
        var index = 1
        while index < bytes.count {
            let byte = bytes[index]
            switch byte {
            case UInt8(ascii: "\\"):
                index += 1
                guard index < bytes.count else { return nil }
                element.append(bytes[index])
            case UInt8(ascii: "\""):
                isQuoted.toggle()
                wasQuoted = true
            case _ where isQuoted: element.append(byte)
            case UInt8(ascii: "{"): return nil
            case UInt8(ascii: ","), UInt8(ascii: "}"):
                if !wasQuoted, element == Array("NULL".utf8) { return nil }
                elements.append(element)
                element = []
                wasQuoted = false
            default: element.append(byte)
            }
            index += 1
        }
        return isQuoted ? nil : elements
    }
}
