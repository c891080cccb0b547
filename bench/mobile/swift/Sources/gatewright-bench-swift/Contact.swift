/// Where bench-server has a contact.
let path = "/v1/contacts/ct_000001"

/// The credential that every client sends.
let key = "sk_test_unlimited_bench"

/// The document that every client decodes, all of its fields.
struct Contact: Decodable, Sendable {
    let id: String
    let object: String
    let email: String
    let name: String
    let tags: [String]
    let score: Double
    let active: Bool
    let company: String?
    let createdAt: String
    let updatedAt: String
    let version: Int

    private enum CodingKeys: String, CodingKey {
        case id, object, email, name, tags, score, active, company, version
        case createdAt = "created_at"
        case updatedAt = "updated_at"
    }

    /// Every answer must be there and decoded.
    func check() throws {
        guard id == "ct_000001", version == 17 else { throw NotAsked(contact: self) }
    }
}

struct NotAsked: Error {
    let contact: Contact
}
