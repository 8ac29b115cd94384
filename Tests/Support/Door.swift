import Glibc
import Synchronization

/// Listens on every address of this machine, counts who comes, and lets nobody in.
package final class Door: Sendable {
    package let port: Int
    private let count = Mutex(0)
    package var knocks: Int { count.withLock { $0 } }

    package init() throws {
        let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isOpen = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { raw in
                bind(socket, raw, length) == 0 && getsockname(socket, raw, &length) == 0 && listen(socket, 8) == 0
            }
        }
        guard isOpen else { throw CannotListen() }
        port = Int(UInt16(bigEndian: address.sin_port))
        var id = pthread_t()
        pthread_create(
            &id, nil,
            { argument in
                guard let argument else { return nil }
                let keeper = Unmanaged<Keeper>.fromOpaque(argument).takeRetainedValue()
                while case let peer = accept(keeper.socket, nil, nil), peer >= 0 {
                    // Counted before it is closed, so that whoever sees the end of the connection sees the knock.
                    keeper.door.count.withLock { $0 += 1 }
                    close(peer)
                }
                return nil
            }, Unmanaged.passRetained(Keeper(socket: socket, door: self)).toOpaque())
        pthread_detach(id)
    }

    private struct CannotListen: Error {}

    private final class Keeper {
        let socket: Int32
        let door: Door
        init(socket: Int32, door: Door) {
            self.socket = socket
            self.door = door
        }
    }
}
