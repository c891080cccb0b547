// A list of contacts that grows as it is scrolled: what a screen shows, and what it can do. Free of SwiftUI, so that it is compiled
// and tested wherever Swift runs; ContactsView.swift is the screen.

import Gatewright
import Observation

/// A person in the list.
public struct Contact: Codable, Identifiable, Hashable, Sendable {
    public let id: String
    public let name: String
    public let email: String?
}

/// What a screen of contacts shows.
///
/// Loads may overlap, as tasks of views come and go: a page is taken only where it still continues the list it was asked for, and a
/// refresh begins a new list. So it does not matter which of them comes first, or is cancelled.
@MainActor @Observable
public final class ContactsModel {
    /// What is loaded so far, in the server's order.
    public private(set) var contacts: [Contact] = []
    /// Whether there is more than what is loaded.
    public private(set) var hasMore = true
    /// Why the last page did not come; nil once one came.
    public private(set) var trouble: Trouble?
    /// Counts the pages that were taken.
    public private(set) var pages = 0
    /// Whether a page is on its way.
    public var isLoading: Bool { underWay > 0 }

    /// Why a page did not come, as a user reads it.
    public struct Trouble: Equatable, Sendable {
        public let what: String
        public let advice: String
    }

    private let client: Client
    /// Of the page after those that are loaded; nil for the first.
    private var cursor: String?
    private var underWay = 0

    /// Shows the contacts that this client's user may see. An app makes one client, for all of its screens.
    public init(client: Client) {
        self.client = client
    }

    /// Loads the next page, if there is one. After trouble this is the page that did not come.
    public func loadMore() async {
        guard hasMore else { return }
        await load(after: cursor, continuing: pages)
    }

    /// Loads the first page anew; what is shown stays until it is there.
    public func refresh() async {
        await load(after: nil, continuing: nil)
    }

    /// Loads a page: the one that continues so many, or the first of a new list.
    private func load(after cursor: String?, continuing known: Int?) async {
        underWay += 1
        defer { underWay -= 1 }
        do {
            let list = try await client.get("/v1/contacts", query: ["limit": 20, "cursor": cursor]).decode(ContactList.self)
            // Another page was taken meanwhile, or the list began anew: this one does not fit any more.
            guard known == nil || known == pages else { return }
            contacts = known == nil ? list.data : contacts + list.data
            self.cursor = list.nextCursor
            hasMore = list.nextCursor != nil
            trouble = nil
            pages += 1
        } catch is CancellationError {
            // The view is gone, and with it whoever would be told. The request has ended; the list is as it was.
        } catch {
            if known == nil || known == pages { trouble = Trouble(error) }
        }
    }
}

/// An answer of `GET /v1/contacts`.
private struct ContactList: Decodable {
    let data: [Contact]
    let nextCursor: String?

    enum CodingKeys: String, CodingKey {
        case data
        case nextCursor = "next_cursor"
    }
}

extension ContactsModel.Trouble {
    init(_ error: any Error) {
        switch error as? GatewrightError {
        case .rateLimited(let failure)?:
            let wait = failure.retryAfter.map { "Try again in \($0.components.seconds + 1) seconds." }
            self.init(what: "Too many requests at the moment.", advice: wait ?? "Try again in a while.")
        case .connect?, .connectionLost?, .timeout?:
            self.init(what: "The server cannot be reached.", advice: "Check your connection, then try again.")
        case .authentication?:
            self.init(what: "You are signed out.", advice: "Sign in again.")
        case let error?:
            self.init(what: "The contacts could not be loaded.", advice: error.failure.advice)
        case nil:
            self.init(what: "The contacts could not be loaded.", advice: error.localizedDescription)
        }
    }
}
