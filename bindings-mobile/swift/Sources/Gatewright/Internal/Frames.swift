import Foundation

/// Reads a batch of frames. Numbers are little endian; each frame is `[u32 length of the rest][u32 call][u8 kind][payload]`:
///
/// | Kind | Payload |
/// |---|---|
/// | 1 ANSWER | `[u16 status][u32 metaLength][u32 bodyLength][u32 large, NONE for a body inline][meta][body]` |
/// | 2 HEAD | `[u16 status][meta]`, of a streamed answer |
/// | 3 CHUNK | `[u32 large or NONE][bytes]`, of its body |
/// | 4 END | nothing: the end of a body or of a list. Of a download JSON, `{elapsedMs, attempts}` over all its connections |
/// | 5 ERROR | the error as JSON |
/// | 6 ASK | a question as JSON; the call is 0 |
///
/// What an answer keeps is copied out of the batch, so that one that is kept does not keep the others.
enum Frames {
    private static let none = UInt32.max

    static func read(_ batch: Data, large: [Data]) {
        batch.withUnsafeBytes { bytes in
            var rest = Bytes(bytes)
            while let length = rest.u32(), var frame = rest.take(Int(length)) {
                guard let call = frame.u32(), let kind = frame.u8() else { return }
                deliver(kind, call, &frame, large)
            }
        }
    }

    private static func deliver(_ kind: UInt8, _ call: UInt32, _ frame: inout Bytes, _ large: [Data]) {
        switch kind {
        case 1:
            guard let status = frame.u16(), let metaLength = frame.u32(), let bodyLength = frame.u32(), let index = frame.u32(),
                let meta = frame.take(Int(metaLength)), let body = body(&frame, Int(bodyLength), index, large)
            else { return }
            Calls.settle(call, .answer(status: Int(status), meta: meta.array, body: body))
        case 2:
            guard let status = frame.u16() else { return }
            Calls.settle(call, .head(status: Int(status), meta: frame.array))
        case 3:
            guard let index = frame.u32(), let piece = body(&frame, frame.count, index, large) else { return }
            Calls.settle(call, .piece(piece))
        case 4:
            Calls.settle(call, .end(told: frame.array))
        case 5:
            Calls.fail(call, json: frame.array)
        case 6:
            Questions.ask(frame.array)
        default:
            // A frame of a later version: nobody waits for it.
            return
        }
    }

    private static func body(_ frame: inout Bytes, _ length: Int, _ index: UInt32, _ large: [Data]) -> Data? {
        if index != none {
            return large.indices.contains(Int(index)) ? large[Int(index)] : nil
        }
        return frame.take(length)?.data
    }
}

/// A place in a batch. Nothing is read beyond its end.
private struct Bytes {
    private var rest: UnsafeRawBufferPointer

    init(_ bytes: UnsafeRawBufferPointer) {
        rest = bytes
    }

    var count: Int { rest.count }
    var array: [UInt8] { [UInt8](rest) }
    var data: Data { Data(rest) }

    mutating func take(_ length: Int) -> Bytes? {
        guard length >= 0, length <= rest.count else { return nil }
        defer { rest = UnsafeRawBufferPointer(rebasing: rest[length...]) }
        return Bytes(UnsafeRawBufferPointer(rebasing: rest[..<length]))
    }

    mutating func u8() -> UInt8? { number() }
    mutating func u16() -> UInt16? { number() }
    mutating func u32() -> UInt32? { number() }

    private mutating func number<Number: FixedWidthInteger>() -> Number? {
        guard rest.count >= MemoryLayout<Number>.size else { return nil }
        defer { rest = UnsafeRawBufferPointer(rebasing: rest[MemoryLayout<Number>.size...]) }
        return Number(littleEndian: rest.loadUnaligned(as: Number.self))
    }
}
