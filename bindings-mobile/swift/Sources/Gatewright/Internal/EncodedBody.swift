import Foundation

/// A body as it is sent: bytes, or a source of them.
struct EncodedBody: Sendable {
    var data: Data?
    var source: Source?
    let contentType: String?
}

extension Body {
    /// Encodes the body.
    ///
    /// - Throws: `GatewrightError.invalidRequest` for what cannot be encoded, and for files that cannot be read. Nothing was sent.
    func encoded(by encoder: JSONEncoder) throws -> EncodedBody {
        var body = EncodedBody(contentType: contentType)
        switch content {
        case .data(let data):
            body.data = data
        case .encodable(let encode):
            do {
                body.data = try encode(encoder)
            } catch {
                throw GatewrightError.invalidRequestHere("`json` cannot be encoded: \(EncodingFailure.text(error))", cause: error)
            }
        case .segments(let segments):
            body.source = try Source(segments)
        case .source(let source):
            body.source = source
        }
        return body
    }
}

/// A form's fields as `application/x-www-form-urlencoded`, by the URL standard.
enum FormEncoding {
    static func encode(_ fields: Query) -> Data {
        var text = Data()
        for pair in fields.pairs {
            if !text.isEmpty {
                text.append(UInt8(ascii: "&"))
            }
            append(pair.name, to: &text)
            text.append(UInt8(ascii: "="))
            append(pair.value, to: &text)
        }
        return text
    }

    private static func append(_ value: String, to text: inout Data) {
        for byte in value.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                UInt8(ascii: "*"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"):
                text.append(byte)
            case UInt8(ascii: " "):
                text.append(UInt8(ascii: "+"))
            default:
                text.append(UInt8(ascii: "%"))
                text.append(hex(byte >> 4))
                text.append(hex(byte & 0xF))
            }
        }
    }

    private static func hex(_ digit: UInt8) -> UInt8 {
        digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "A") + digit - 10
    }
}
