import CLinux
import Glibc

/// Something with a file descriptor that wants to hear from the loop. Drivers subclass it.
///
/// Whoever owns a channel keeps it alive, unregisters it and only then closes `fd`. It is `open`, and `LoopActor`
/// public for its sake, because Swift lets no other module inherit from a `package` class.
@LoopActor open class Channel {
    public final let fd: Int32
    final var isDirty = false

    public init(fd: Int32) { self.fd = fd }

    /// The descriptor is readable, writable or gone: a mask of `EventLoop.readable` and its siblings.
    open func onEvent(_ events: UInt32) {}

    /// Called once at the end of a tick in which `markDirty` named this channel: the place to write what
    /// the tick's tasks gathered with one system call.
    open func flush() {}
}

/// A descriptor's channel, with a generation that makes events of a former owner of the number recognisable.
struct Registration {
    var channel: Channel?
    var generation: UInt32 = 0
}

extension EventLoop {
    package static let readable: UInt32 = EPOLLIN.rawValue
    package static let writable: UInt32 = EPOLLOUT.rawValue
    package static let failed: UInt32 = EPOLLERR.rawValue
    /// Both directions are finished.
    package static let hungUp: UInt32 = EPOLLHUP.rawValue
    /// The peer will send no more; must be asked for.
    package static let peerClosed: UInt32 = EPOLLRDHUP.rawValue

    /// Starts watching, level-triggered. False when the system refuses, such as for a descriptor already watched.
    @LoopActor @discardableResult
    package func register(_ channel: Channel, events: UInt32) -> Bool {
        guard channel.fd >= 0 else { return false }
        let index = Int(channel.fd)
        if index >= channels.count {
            let missing = max(index + 1, channels.count * 2, 64) - channels.count
            channels.append(contentsOf: repeatElement(Registration(), count: missing))
        }
        guard channels[index].channel == nil else { return false }
        var event = epoll_event(events: events, data: key(of: index))
        guard epoll_ctl(epoll, EPOLL_CTL_ADD, channel.fd, &event) == 0 else { return false }
        channels[index].channel = channel
        return true
    }

    /// Watches for other events from now on. 0 leaves only errors and hang-ups.
    @LoopActor package func modify(_ channel: Channel, events: UInt32) {
        guard isRegistered(channel) else { return }
        var event = epoll_event(events: events, data: key(of: Int(channel.fd)))
        epoll_ctl(epoll, EPOLL_CTL_MOD, channel.fd, &event)
    }

    /// Stops watching; events already reported in this tick are dropped. Call it before closing the descriptor.
    @LoopActor package func unregister(_ channel: Channel) {
        guard isRegistered(channel) else { return }
        epoll_ctl(epoll, EPOLL_CTL_DEL, channel.fd, nil)
        channels[Int(channel.fd)].generation &+= 1
        channels[Int(channel.fd)].channel = nil
    }

    /// Asks for one `flush` of this channel before the loop blocks again.
    @LoopActor package func markDirty(_ channel: Channel) {
        guard !channel.isDirty else { return }
        channel.isDirty = true
        dirty.append(channel)
    }

    @LoopActor func flushDirty() {
        guard !dirty.isEmpty else { return }
        // A flush may mark channels again; those wait for the next tick, which comes at once.
        let flushing = dirty
        dirty.removeAll(keepingCapacity: true)
        for channel in flushing {
            channel.isDirty = false
            channel.flush()
        }
    }

    @LoopActor func channel(for key: UInt64) -> Channel? {
        let index = Int(key & 0xffff_ffff)
        guard index < channels.count, channels[index].generation == UInt32(key >> 32) else { return nil }
        return channels[index].channel
    }

    @LoopActor private func isRegistered(_ channel: Channel) -> Bool {
        let index = Int(channel.fd)
        return channels.indices.contains(index) && channels[index].channel === channel
    }

    private func key(of index: Int) -> epoll_data_t {
        epoll_data_t(u64: UInt64(channels[index].generation) << 32 | UInt64(index))
    }
}
