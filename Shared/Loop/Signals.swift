import CLinux
import Glibc

extension EventLoop {
    /// Calls `body` on the loop whenever the process receives `signal`, instead of what it would do by default.
    @LoopActor package func onSignal(_ signal: Int32, _ body: @escaping @LoopActor () -> Void) {
        let channel = signals ?? SignalChannel(fd: polyclinic_signal_pipe())
        if signals == nil {
            signals = channel
            register(channel, events: EventLoop.readable)
        }
        channel.handlers[signal] = body
        polyclinic_catch_signal(signal)
    }
}

/// The reading end of the pipe that the signal handler writes to: a self-pipe works whichever thread the
/// kernel picks, where a signalfd needs the signal blocked in all of them.
@LoopActor final class SignalChannel: Channel {
    var handlers: [Int32: @LoopActor () -> Void] = [:]

    override func onEvent(_ events: UInt32) {
        var byte: UInt8 = 0
        while read(fd, &byte, 1) == 1 { handlers[Int32(byte)]?() }
    }
}
