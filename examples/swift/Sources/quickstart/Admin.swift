// What the gateway's admin interface takes and gives; see docs/gateway.md.

struct Rule: Encodable {
    let match: [String: String]
    let script: [String]
}

struct Effects: Decodable {
    let count: Int
}

struct Journal: Decodable {
    struct Entry: Decodable {
        let status: Int?
        let headers: [[String]]

        func header(_ name: String) -> String? {
            headers.first { $0.first?.lowercased() == name }?.last
        }
    }

    let entries: [Entry]
}

struct Hook: Encodable {
    let url: String
    let types: [String]
}

struct Endpoint: Decodable {
    let secret: String
}

struct Event: Decodable {
    let type: String
    let data: Contact
}
